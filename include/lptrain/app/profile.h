// Where the time of training steps goes, by layer and by kernel, and the same as a trace to look at.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/base/trace.h"

namespace lp {

// All seconds are those of one step, on the thread that takes the steps: a loop that others share in counts once.
struct Profile {
  struct Layer {
    std::string name;  // "loss" at the end; layers of one name together
    double forward_seconds = 0, backward_seconds = 0, share = 0;
    void fields(Fields& f);
  };
  struct Part {  // what a step does outside of layers: "optimizer", "data", and "rest" (nobody's)
    std::string name;
    double seconds = 0, share = 0;
    void fields(Fields& f);
  };
  struct Kernel {
    std::string family, row;  // "conv2d dw", "onednn"
    double calls = 0, seconds = 0, share = 0;
    void fields(Fields& f);
  };
  int64_t steps = 0;
  double step_seconds = 0;
  std::vector<Layer> layers;    // in the order of the forward pass
  std::vector<Part> parts;      // layers and parts add up to the step
  std::vector<Kernel> kernels;  // the most expensive first
  void fields(Fields& f);
};

// Of the spans of `steps` steps that took `seconds` together.
Profile profile_of(const std::vector<Span>& spans, int64_t steps, double seconds);

// Chrome's trace event format, which chrome://tracing and ui.perfetto.dev open: a complete event ("ph": "X") for every span, in
// microseconds, and the names of the threads.   Source: "Trace Event Format", Google 2016.
std::string trace_json(const std::vector<Span>& spans);

}  // namespace lp

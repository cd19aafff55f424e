// Sums over spans, and spans as events.
#include "lptrain/app/profile.h"

#include <algorithm>
#include <map>

#include "lptrain/base/document.h"
#include "lptrain/train/step_recorder.h"

namespace lp {
namespace {

bool is_layer(const Span& s) { return s.family == "forward" || s.family == "backward"; }

std::vector<Span> of_stepping_thread(const std::vector<Span>& spans) {
  const int thread = stepping_thread(spans);
  std::vector<Span> own;
  std::ranges::copy_if(spans, std::back_inserter(own), [=](const Span& s) { return s.thread == thread; });
  return own;
}

// Seconds of each span without those of the spans inside it that `counts`. Spans come in the order of their ends.
template <class Counts>
std::vector<double> without_inner(const std::vector<Span>& spans, const Counts& counts) {
  std::vector<double> own, inside;  // inside: by depth, seconds of those that wait for the span around them
  for (const Span& s : spans) {
    const auto depth = static_cast<size_t>(s.depth);
    inside.resize(std::max(inside.size(), depth + 2));
    own.push_back(s.seconds - inside[depth + 1]);
    inside[depth] += counts(s) ? s.seconds : inside[depth + 1];
    inside[depth + 1] = 0;
  }
  return own;
}

template <class Row>
Row& row_named(std::vector<Row>& rows, const std::string& name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  if (found != rows.end()) return *found;
  rows.emplace_back().name = name;
  return rows.back();
}

std::vector<Profile::Layer> layers_in(const std::vector<Span>& spans) {
  std::vector<Profile::Layer> layers;
  const std::vector<double> own = without_inner(spans, is_layer);
  for (size_t i = 0; i < spans.size(); ++i) {
    if (!is_layer(spans[i])) continue;
    Profile::Layer& layer = row_named(layers, spans[i].what.empty() ? "input" : spans[i].what);
    (spans[i].family == "forward" ? layer.forward_seconds : layer.backward_seconds) += own[i];
  }
  return layers;
}

std::vector<Profile::Part> parts_in(const std::vector<Span>& spans, double seconds) {
  std::vector<Profile::Part> parts;
  for (const Span& s : spans) {
    if (s.depth > 0) continue;
    seconds -= s.seconds;
    if (!is_layer(s)) row_named(parts, s.family).seconds += s.seconds;
  }
  row_named(parts, "rest").seconds += std::max(seconds, 0.0);
  return parts;
}

std::vector<Profile::Kernel> kernels_in(const std::vector<Span>& spans) {
  std::map<std::pair<std::string, std::string>, Profile::Kernel> sums;
  const std::vector<double> own = without_inner(spans, [](const Span&) { return true; });
  for (size_t i = 0; i < spans.size(); ++i) {
    if (is_layer(spans[i])) continue;
    Profile::Kernel& sum = sums[{spans[i].family, spans[i].what}];
    sum.family = spans[i].family, sum.row = spans[i].what;
    sum.calls += 1;
    sum.seconds += own[i];
  }
  std::vector<Profile::Kernel> kernels;
  for (auto& [name, sum] : sums) kernels.push_back(std::move(sum));
  std::ranges::stable_sort(kernels, std::ranges::greater(), &Profile::Kernel::seconds);
  return kernels;
}

struct TraceEvent {
  std::string name, cat, ph = "X";
  double ts = 0, dur = 0;
  int pid = 1, tid = 0;
  void fields(Fields& f) {
    f("name", name, "of the span");
    f("cat", cat, "category");
    f("ph", ph, "kind of event: complete");
    f("ts", ts, "begin, in microseconds");
    f("dur", dur, "microseconds");
    f("pid", pid, "process");
    f("tid", tid, "thread");
  }
};

std::string thread_name(int thread) {
  return fmt::format(R"({{"name": "thread_name", "ph": "M", "pid": 1, "tid": {}, "args": {{"name": "{}"}}}})", thread,
                     thread == 0 ? "first thread" : fmt::format("thread {}", thread));
}

}  // namespace

void Profile::Layer::fields(Fields& f) {
  f("name", name, "of the layer");
  f("forward_seconds", forward_seconds, "of a step, without layers inside it");
  f("backward_seconds", backward_seconds, "of a step, without layers inside it");
  f("share", share, "of the step");
}

void Profile::Part::fields(Fields& f) {
  f("name", name, "what is done outside of layers");
  f("seconds", seconds, "of a step");
  f("share", share, "of the step");
}

void Profile::Kernel::fields(Fields& f) {
  f("family", family, "of kernels");
  f("row", row, "or what of the family it is");
  f("calls", calls, "in a step");
  f("seconds", seconds, "of a step, without kernels inside it");
  f("share", share, "of the step");
}

void Profile::fields(Fields& f) {
  f("steps", steps, "recorded");
  f("step_seconds", step_seconds, "mean");
  f("layers", layers, "in the order of the forward pass");
  f("parts", parts, "what lies outside of layers");
  f("kernels", kernels, "inside layers or outside, the most expensive first");
}

Profile profile_of(const std::vector<Span>& spans, int64_t steps, double seconds) {
  const std::vector<Span> own = of_stepping_thread(spans);
  const auto n = static_cast<double>(steps);
  Profile p{steps, seconds / n, layers_in(own), parts_in(own, seconds), kernels_in(own)};
  for (Profile::Layer& l : p.layers) {
    l.forward_seconds /= n, l.backward_seconds /= n;
    l.share = (l.forward_seconds + l.backward_seconds) / p.step_seconds;
  }
  for (Profile::Part& part : p.parts) part.seconds /= n, part.share = part.seconds / p.step_seconds;
  for (Profile::Kernel& k : p.kernels) k.calls /= n, k.seconds /= n, k.share = k.seconds / p.step_seconds;
  return p;
}

std::string trace_json(const std::vector<Span>& spans) {
  std::string events;
  int threads = 0;
  for (const Span& s : spans) {
    TraceEvent event{s.what.empty() ? s.family : s.what, s.family};
    event.ts = 1e6 * s.begin, event.dur = 1e6 * s.seconds, event.tid = s.thread;
    events += write(event).dump(0) + ",\n";
    threads = std::max(threads, s.thread + 1);
  }
  for (int t = 0; t < threads; ++t) events += thread_name(t) + (t + 1 < threads ? ",\n" : "\n");
  return "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n" + events + "]}\n";
}

}  // namespace lp

// The numbers of tests/golden/training.json, which PyTorch computed, as structs.
#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "lptrain/base/document.h"
#include "lptrain/tensor/math.h"
#include "lptrain/train/loss.h"
#include "lptrain/train/optimizer.h"
#include "support/numbers.h"
#include "support/places.h"

namespace golden {

using lp::test::Numbers;

struct Run {
  lp::Choice<lp::Optimizer> optimizer;
  std::vector<double> losses;   // before each step
  std::vector<Numbers> params;  // after the last
  void fields(lp::Fields& f) {
    f("optimizer", optimizer, "");
    f("losses", losses, "");
    f("params", params, "");
  }
};

struct Network {
  std::string name;
  Numbers x, logits;
  std::vector<int32_t> labels;
  double loss = 0;
  std::vector<Numbers> params, gradients;
  std::vector<Run> runs;
  void fields(lp::Fields& f) {
    f("name", name, "");
    f("x", x, "");
    f("labels", labels, "");
    f("logits", logits, "");
    f("loss", loss, "");
    f("params", params, "");
    f("gradients", gradients, "");
    f("runs", runs, "");
  }
};

struct LossCase {
  lp::Choice<lp::Loss> loss;
  Numbers logits, gradient;
  std::vector<int32_t> labels;
  double value = 0;
  void fields(lp::Fields& f) {
    f("loss", loss, "");
    f("logits", logits, "");
    f("labels", labels, "");
    f("value", value, "");
    f("gradient", gradient, "");
  }
};

struct ScheduleCase {
  lp::Choice<lp::Schedule> schedule;
  std::string unit;  // of one element: "epoch", "progress" (a tenth of the phase), "warmup" (a quarter of it)
  std::vector<double> factors;
  void fields(lp::Fields& f) {
    f("schedule", schedule, "");
    f("unit", unit, "");
    f("factors", factors, "");
  }
};

struct Training {
  std::vector<Network> networks;
  std::vector<LossCase> losses;
  std::vector<ScheduleCase> schedules;
  void fields(lp::Fields& f) {
    f("networks", networks, "");
    f("losses", losses, "");
    f("schedules", schedules, "");
  }
};

inline const Training& training() {
  static const Training loaded = [] {
    Training t;
    lp::read(lp::Document::load(source_dir() + "/tests/golden/training.json"), t);
    return t;
  }();
  return loaded;
}

// The largest |a - b| / (1 + |b|).
inline double distance(const lp::Tensor& a, const Numbers& b) {
  const lp::Tensor x = lp::convert(a, lp::DType::f64), y = b.tensor(lp::DType::f64);
  lp::require(x.shape() == y.shape(), "{} is not {}", x.shape().text(), y.shape().text());
  return lp::largest_magnitude(lp::zip(x, y, [](double u, double v) { return (u - v) / (1 + std::abs(v)); }));
}

}  // namespace golden

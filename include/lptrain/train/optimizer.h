// Optimizers: pure updates on spans. What they remember stands in named slots that the trainer owns, so checkpoints and
// low-precision state are free.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// What one update of one parameter knows.
struct UpdateStep {
  double lr;     // the optimizer's own rate times schedule and the parameter's factor
  int64_t step;  // 1, 2, ...: updates made, this one included (skipped steps are not counted)
  bool decays;   // weight decay applies to this parameter
};

// {"sgd": {"lr": 0.1, "momentum": 0.9}}. Implementations stand in src/train/optimizer.cpp, in order of complexity.
struct Optimizer {
  double lr = 0.01;
  virtual ~Optimizer() = default;
  virtual std::unique_ptr<Optimizer> clone() const = 0;
  virtual void fields(Fields& f) = 0;
  virtual std::vector<std::string_view> slots()
      const = 0;  // names of state tensors per parameter, each of its shape, zeros at first
  // w := w after one step along the gradient dw; slots are updated in place. f32 or f64, all alike.
  virtual void update(const UpdateStep& how, Tensor& w, const Tensor& dw, std::span<Tensor> slots) const = 0;
};
template <>
std::span<const ChoiceRow<Optimizer>> choices<Optimizer>();

// A factor on the learning rate over a phase: `progress` runs from 0 to 1 in optimizer steps, epoch counts from 0.
struct Schedule {
  virtual ~Schedule() = default;
  virtual std::unique_ptr<Schedule> clone() const = 0;
  virtual void fields(Fields&) {}
  virtual double factor(double progress, int64_t epoch) const = 0;
};
template <>
std::span<const ChoiceRow<Schedule>> choices<Schedule>();

// The factor of a linear warm-up, min(done / warmup, 1). `done_epochs` counts the step about to be made: no step has the factor
// 0. Source: Goyal et al. 2017
double warmup(double done_epochs, double warmup_epochs);

}  // namespace lp

// The microscope on a training run: what happened to its numbers, counted by layer and role over an epoch.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lptrain/nn/model.h"
#include "lptrain/quant/tally.h"
#include "lptrain/train/optimizer.h"

namespace lp {

// Did the lens do anything: is there a quantizer, and did the value not carry codes already?
bool is_quantized(const Look& look);

struct RoleNumerics {
  std::string layer;  // "" of the network's input
  Role role = Role::weights;
  std::string format;
  Tally tally;
  void fields(Fields& f);
};

// Updates of a layer's parameters: elements that the optimizer, computing in f64, would have changed.
struct UpdateNumerics {
  std::string layer, master, weights;  // formats that they are kept in, and seen in
  int64_t updates = 0;
  int64_t lost = 0;       // the master copy stayed what it was
  int64_t coded = 0;      // of `updates`, those of parameters that are seen through a quantizer
  int64_t same_code = 0;  // of those, the code that evaluation sees stayed what it was
  void fields(Fields& f);
};

// Additions in a modelled accumulator, by layer and product.
struct SumNumerics {
  enum class Of : uint8_t { y, dx, dw };  // forward, and the two gradients
  std::string layer;
  Of of = Of::y;
  std::string accumulator;  // its format
  SumCounts counts;
  void fields(Fields& f);
};
template <>
struct Words<SumNumerics::Of> {
  static constexpr std::string_view list[] = {"y", "dx", "dw"};
};

struct LossScalePoint {
  int64_t step = 0;
  double scale = 1;
  void fields(Fields& f);
};

// Rows in the order of first appearance.
struct Numerics {
  std::vector<RoleNumerics> roles;
  std::vector<UpdateNumerics> updates;
  std::vector<SumNumerics> sums;
  std::vector<LossScalePoint> loss_scale;  // at the first step, and where it changed; empty without one
  void fields(Fields& f);

  void count(const Look& look);  // nothing, if the lens left its value alone
  void count(const std::string& layer, Role role, const Quantizer& q, const Tensor& x, const Tensor& y);
  void note_loss_scale(int64_t step, double scale);
};

// Counts the additions of one step.
class SumProbe {
 public:
  std::function<SumCounts*(const std::string& layer, const Accumulator& a)>
  watch();                           // for Context::watch_sums; used while this lives
  void count(Numerics& into) const;  // after the backward pass

 private:
  struct Layer {
    std::string format;
    std::array<SumCounts, std::size(Words<SumNumerics::Of>::list)> counts;
  };
  std::map<std::string, Layer> layers_;
};

// Watches one optimizer step. Nothing that it looks at is changed.
class UpdateProbe {
 public:
  explicit UpdateProbe(Model& model);  // before the step
  ~UpdateProbe();
  // Before a parameter is updated, with the gradient as the optimizer will see it.
  void expect(const Param& p, const Optimizer& optimizer, const UpdateStep& how, const Tensor& dw, std::span<const Tensor> slots);
  void count(const Precision& precision, Numerics& into);  // after the step, statistics of lenses applied

 private:
  struct Expected;
  Model& model_;
  std::vector<Expected> expected_;
};

}  // namespace lp

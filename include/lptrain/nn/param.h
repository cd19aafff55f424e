// What training changes: parameters, and the lenses through which the numbers of a model are seen.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "lptrain/quant/precision.h"

namespace lp {

struct Lens;

// A trained tensor. `value` is the master copy (f32, or f64 under "compute": "f64"); layers see it through Context::param only.
struct Param {
  std::string name;  // "conv1.weight"
  Tensor value;
  Tensor mask;  // 0 or 1 per element, or empty: pruning
  Tensor held;  // 1 per element that is on its grid for good, else 0, which is seen as it is; empty: none (train/incremental.h)
  bool moves = true;   // false: training leaves it as it is
  bool decays = true;  // weight decay applies (not to biases, norms and learned scales)
  double lr_factor = 1;
  bool is_remade = false;      // the lens sees what the layer makes of it: times the gain of a batch norm, or standardized
  std::unique_ptr<Lens> lens;  // null: seen as it is
  Value frozen;                // what evaluation sees, once that is all that is kept (nn/freeze.h)

  Param(std::string param_name, Tensor initial, bool does_decay = true);
  ~Param();
  Param(Param&&) noexcept;
  Param& operator=(Param&&) noexcept;
};

// A named, visited place where the model is looked at through a quantizer: "conv1.weight", "conv1.input", "conv1.error".
// Everything here that training changes is visited, so it is checkpointed: the observed extent, and what is learned.
struct Lens {
  std::string name;
  Role role;
  int axis;  // of channels
  Quantizer quantizer;
  Extent observed;              // Scale::Kind::observed: empty until the first look of a training pass
  std::optional<Param> scale;   // of rules that learn: "<name>.scale"; its value is empty until then
  std::optional<Param> offset;  // of an offset that is learned: "<name>.offset"; likewise

  Lens(std::string lens_name, Role lens_role, int channel_axis, Quantizer chosen);
  void set(Quantizer chosen);  // what was observed and learned is kept if nothing changes, else forgotten
  std::string layer() const;   // "block1.conv1" of "block1.conv1.weight"; "" of "input", the entrance
  bool is_identity() const { return quantizer.is_identity(); }
  Format format() const;  // that values have behind it: the quantizer's, or what a rule with a formula of its own reaches
};

}  // namespace lp

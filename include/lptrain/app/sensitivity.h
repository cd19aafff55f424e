// Which layers can bear narrow numbers: the accuracy of a trained network when one layer at a time is narrowed.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "lptrain/app/console.h"
#include "lptrain/train/run.h"

namespace lp {

// Which operands of a layer are narrowed.
enum class Narrowed : uint8_t { weights, activations, both };
template <>
struct Words<Narrowed> {
  static constexpr std::string_view list[] = {"weights", "activations", "both"};
};

constexpr const char* kPruned = "pruned";         // what is said of weights that are
constexpr const char* kAllLayers = "all layers";  // the last row

struct SensitivityCell {
  std::string layer, format;  // format: of the weights, or of the activations alone; of pruned layers their sparsity
  double accuracy = 0, loss = 0;
  void fields(Fields& f);
};

struct Sensitivity {
  std::string run, split, narrowed;  // narrowed: weights, activations or both; or "pruned"
  int64_t examples = 0;
  double accuracy = 0, loss = 0;  // of the network as it is
  std::vector<std::string> layers, formats;
  std::vector<SensitivityCell> cells;  // layers x formats
  const SensitivityCell& at(size_t layer, size_t format) const { return cells[layer * formats.size() + format]; }
  void fields(Fields& f);
};

// On the validation split (on the test split, if that is empty). A layer that is as narrow already stays as it is. Activations
// that are not quantized get a scale for each batch, and a sign only if some of them are negative. `progress` hears of every row.
// The model is as before afterwards.
Sensitivity sensitivity_of(const Trained& trained, const std::vector<Format>& formats, Narrowed narrowed, const Console& console);

Cells sensitivity_cells(const Sensitivity& s);  // the first row is the heading
std::string sensitivity_csv(const Sensitivity& s);
std::string sensitivity_svg(const Sensitivity& s);  // a file: accuracies as a heat map

}  // namespace lp

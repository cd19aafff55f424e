// A tensor of a trained network as its quantizer sees it: range, scale, codes in use, what is lost, and where its numbers lie.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/console.h"
#include "lptrain/base/plot.h"
#include "lptrain/quant/tally.h"
#include "lptrain/train/run.h"

namespace lp {

// Where the elements lie: in units of their scales, so that one grid serves all of them, or as they are if they are not
// quantized.
struct Histogram {
  double low = 0, high = 0;     // of the bars: all elements that are finite
  std::vector<int64_t> counts;  // of equal widths
  std::vector<double> levels;   // reals of the format between low and high, unless they are many
  void fields(Fields& f);
};

struct TensorView {
  std::string layer;  // "" of the network's input
  Role role = Role::weights;
  std::string format;        // "int4"; "" if not quantized
  double low = 0, high = 0;  // of the elements, before they are quantized
  int64_t scales = 0;        // how many; 0 if not quantized
  double least_scale = 0, greatest_scale = 0;
  int64_t zero_point = 0;
  int64_t levels = 0, levels_used = 0;  // reals that the format has, and codes that occur; 0 if not known
  Tally tally;                          // only of what was quantized here
  Histogram histogram;
  bool is_quantized_here() const { return levels_used > 0; }
  std::string name() const;       // "conv1 weights"
  std::string sqnr_text() const;  // "41.2"; "exact"; "" unless quantized here
  void fields(Fields& f);
};

TensorView view_of(const Look& look);

// Everything that lenses look at while 64 examples of the validation split (of the test split, if that is empty) pass forward and
// back: layer by layer, as the network has them. Nothing of the model is changed.
std::vector<TensorView> view_tensors(Model& model, const Loss& loss, const Dataset& data);
const TensorView* find_view(const std::vector<TensorView>& views, const std::string& layer, Role role);  // null: none

Cells view_cells(const std::vector<TensorView>& views);  // the first row is the heading
// Bars with the square root of how many, and upright lines where the reals of the format are.
Plot histogram_plot(const TensorView& view, double width, double height, std::string axis_name = "");

}  // namespace lp

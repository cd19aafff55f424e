// What became of numbers when they were quantized: counted, and summed for the signal-to-noise ratio.
#pragma once
#include "lptrain/quant/quantize.h"

namespace lp {

struct Tally {
  int64_t numbers = 0;
  int64_t zeros = 0;             // were 0 before
  int64_t underflows = 0;        // were not, and are now; those beyond the grid are not counted here
  int64_t saturated = 0;         // lay beyond the grid by half a step or more, and were moved to its end
  int64_t overflows = 0;         // lay so, and became infinite or wrapped around
  int64_t nans = 0;              // were infinite or NaN before
  double signal = 0, noise = 0;  // sum x^2 and sum (q - x)^2, over what is finite before and after

  void fields(Fields& f);
  Tally& operator+=(const Tally& o);
  // Shares of all numbers; of underflows among those that were not 0. 0 of nothing.
  double share(int64_t Tally::*count) const;
  double sqnr_db() const;  // 10 log10(signal / noise); infinity if nothing was lost, 0 of nothing
};

// x, and what quantize() made of it with that scale: y. An empty scale (rules with a formula of their own) has no grid to lie
// beyond. The same bits on any number of threads.
Tally tally(const Tensor& x, const Tensor& y, const Tensor& scale, const QuantizeHow& how);
// The same for quantized(), which measures the scale on x itself.
Tally tally(const Tensor& x, const Tensor& y, const Quantizer& q, int axis);

}  // namespace lp

// DoReFa-Net's weights: squeezed into [-1, 1] by tanh, then rounded to an even grid.
#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "scales.h"

namespace lp {

std::string Dorefa::objection(const Quantizer& q) const {
  const bool fits = q.format.family == Format::Family::Fixed && q.format.fraction_bits == 0 && q.format.bits() <= 16;
  return fits ? ""
              : fmt::format("\"dorefa\" needs an integer format of 1 to 16 bits, found {}{}", q.format.name(),
                            q.format.family == Format::Family::Binary ? "; with one bit its rule is the scale \"mean_abs\"" : "");
}

Extent Dorefa::measure(const Tensor&, const Lanes& lanes, const Quantizer& q) const { return symmetric(lanes, q.ends().reach()); }

Var Dorefa::apply(const Var& x, const Var&, const Quantizer& q) const {
  if (largest_magnitude(x.tensor()) == 0) return x;
  const Var squeezed = tanh(x), most = max(abs(reshape(squeezed, {x.tensor().size()})), 0, true);
  Quantizer grid = q;
  grid.scale = Choice<Scale>("absmax");
  grid.gradient = Estimator::parse("ste");
  const GridEnds ends = q.ends();
  const double step = 2 / (ends.high - ends.low);
  QuantizeHow how{&grid};
  how.offset = Var(Tensor::full({1}, -1 - ends.low * step));
  return quantize(div(squeezed, most), Var(Tensor::full({1}, step)), how);
}

}  // namespace lp

// What a quantizer says of itself, and which combinations are possible.
#include "lptrain/quant/quantizer.h"

#include "lptrain/base/document.h"

namespace lp {

void Quantizer::fields(Fields& f) {
  f("format", format, "number format: which reals exist");
  f("narrow", narrow, "leave out the lowest code, so that the grid is symmetric");
  f("scale", scale,
    "where the scale comes from; by default absmax for integers, mean_abs for binary and ternary, 1 for floats and fixed point");
  f("per", per, "which elements share a scale");
  f("zero_point", zero_point, "shift the grid to cover [min, max] (affine quantization)");
  f("rounding", rounding, "which neighbour on the grid a real becomes");
  f("gradient", gradient, "the smooth map that backward pretends rounding was");
  const bool is_signed_grid =
      format.is_integer_grid() && format.lo() < 0 && format.family == Format::Family::Fixed && format.bits() > 1;
  f.claim(!narrow || is_signed_grid,
          fmt::format("\"narrow\" needs a signed integer or fixed-point format, found {}", format.name()));
  f.claim(!zero_point || (format.is_integer_grid() && format.fraction_bits == 0),
          fmt::format("\"zero_point\" needs an integer format, found {}", format.name()));
  f.claim(!zero_point || per == Per::tensor, "\"zero_point\" needs \"per\": \"tensor\"");
  f.claim(!zero_point || rule().kind() == Scale::Kind::measured || rule().kind() == Scale::Kind::observed,
          "\"zero_point\" needs a measured scale (absmax, ema)");
}

bool Quantizer::operator==(const Quantizer& o) const { return write(*this) == write(o); }

}  // namespace lp

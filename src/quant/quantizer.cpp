// What a quantizer says of itself, and which combinations are possible.
#include "lptrain/quant/quantizer.h"

#include "lptrain/base/document.h"
#include "lptrain/base/text.h"
#include "lptrain/quant/preset.h"

namespace lp {
namespace {

void claim_narrow(Fields& f, const Quantizer& q) {
  const bool is_signed_grid = q.format.family == Format::Family::Fixed && q.format.lo() < 0 && q.format.bits() > 1;
  f.claim(!q.narrow || is_signed_grid,
          fmt::format("\"narrow\" needs a signed integer or fixed-point format, found {}", q.format.name()));
}

void claim_zero_point(Fields& f, const Quantizer& q) {
  if (!q.zero_point) return;
  f.claim(q.format.counts(), fmt::format("\"zero_point\" needs an integer format, found {}", q.format.name()));
  f.claim(q.per == Per::tensor, "\"zero_point\" needs \"per\": \"tensor\"");
  f.claim(q.rule().kind() == Scale::Kind::measured || q.rule().kind() == Scale::Kind::observed,
          "\"zero_point\" needs a measured scale (absmax, ema)");
  f.claim(!q.offset, "\"zero_point\" and \"offset\" both shift the grid: choose one");
  f.claim(q.overflows() != Overflow::wrap, "\"zero_point\" and \"overflow\": \"wrap\" exclude each other");
}

void claim_scales(Fields& f, const Quantizer& q) {
  const Scale::Kind kind = q.rule().kind();
  const bool is_measured = kind == Scale::Kind::measured || kind == Scale::Kind::observed;
  f.claim(q.scale_format.is_float() && q.scale_format.max() >= 1,
          fmt::format("\"scale_format\" needs a float, say e8m0 or e4m3, found {}", q.scale_format.name()));
  f.claim(q.scale_format == kF32 || is_measured,
          fmt::format("\"scale_format\" needs a measured scale (absmax, pow2), found \"{}\"", q.scale.name()));
  f.claim(kind != Scale::Kind::own || (q.per == Per::tensor && !q.offset && !q.decision && !q.zero_point),
          fmt::format("the scale \"{}\" has a formula of its own, for whole tensors: leave out \"per\", \"offset\", \"decision\" "
                      "and \"zero_point\"",
                      q.scale.name()));
  const std::string objection = q.rule().objection(q);
  f.claim(objection.empty(), objection);
  if (q.decision)
    f.claim(
        q.decision->kind() == Scale::Kind::measured || q.decision->kind() == Scale::Kind::fixed,
        fmt::format("\"decision\" needs a measured or fixed scale (absmax, mean_abs, fixed), found \"{}\"", q.decision.name()));
  f.claim(has_overflow(q.format, q.overflows()),
          fmt::format("{} knows no overflow to \"{}\": wrap is for int and q, infinity for floats that have infinity or NaN",
                      q.format.name(), word_of(q.overflows())));
}

void claim_rounding(Fields& f, const Quantizer& q) {
  const bool is_shift = q.format.is_integer_grid() && q.per == Per::tensor && !q.zero_point && !q.offset &&
                        q.scale_format == kF32 && q.divider().shifts(q);
  f.claim(
      q.rounding != Rounding::pseudo_stochastic || is_shift,
      fmt::format("\"pseudo_stochastic\" compares the bits that a shift cuts off: it needs an integer or fixed-point format, "
                  "found {}, and one scale for the tensor that is a power of two (pow2, layer_shift, fixed); or try stochastic",
                  q.format.name()));
}

void claim_preset(Fields& f, const Quantizer& q, const Preset* preset) {
  const std::vector<std::string> keys = preset ? contradictions(q, *preset) : std::vector<std::string>{};
  f.claim(keys.empty(), fmt::format("{} leaves no choice of {}; write out what you mean, beginning from {}",
                                    preset ? preset->name : "", join(keys), preset ? preset->json : ""));
}

}  // namespace

void Quantizer::fields(Fields& f) {
  FormatWord word{format};
  f("format", word, "number format: which reals exist; or a preset such as mxfp4");
  format = word.format;
  if (word.preset) read(Document::parse(word.preset->json, std::string(word.preset->name)), *this);
  f("narrow", narrow, "leave out the lowest code, so that the grid is symmetric");
  f("scale", scale,
    "where the scale comes from; by default absmax for integers, mean_abs for binary and ternary, 1 for the others");
  f("per", per, "which elements share a scale: tensor, channel, sample, group:<channels>, block:<elements> or network");
  f("scale_format", scale_format, "number format that scales are stored in: f32, e8m0 (powers of two), e4m3 ...");
  f("decision", decision, "what x is divided by before rounding, where that is not the scale (TWN, XNOR-Net)");
  f("zero_point", zero_point, "shift the grid to cover [min, max] (affine quantization)");
  f("offset", offset, "a real that is taken away before rounding and added after it (mean-bias quantization, LSQ+)");
  f("rounding", rounding, "which neighbour on the grid a real becomes");
  f("overflow", overflow, "beyond the grid; by default infinity for f16 and bf16, saturate for the others");
  f("gradient", gradient, "the smooth map that backward pretends rounding was");
  claim_preset(f, *this, word.preset);
  claim_narrow(f, *this);
  claim_zero_point(f, *this);
  claim_scales(f, *this);
  claim_rounding(f, *this);
}

Overflow Quantizer::overflows() const {
  return overflow.value_or(format == kF16 || format == kBf16 ? Overflow::infinity : Overflow::saturate);
}

double Quantizer::bits_for(const Shape& shape, int axis) const {
  const Shape whole = per.kind == Per::Kind::block ? shape.with(-1, shape.back() + missing_in_blocks(shape, per)) : shape;
  const double scales = static_cast<double>(lanes_of(whole, per, axis).channels);
  return static_cast<double>(shape.size() * format.bits()) + (is_identity() ? 0 : scales * scale_format.bits());
}

bool Quantizer::operator==(const Quantizer& o) const { return write(*this) == write(o); }

}  // namespace lp

// Figures, codes and neighbours of number formats.
#include "lptrain/app/format_facts.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lptrain/app/explain.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// s1 e4 m3: a sign, 4 bits of exponent, 3 of mantissa; i and f: integer and fraction bits; r: regime.
std::string layout(const Format& f) {
  const bool is_fixed = f.family == Format::Family::Fixed;
  std::string text = f.is_signed ? "s1" : "";
  const auto add = [&](char letter, int bits) {
    if (bits > 0) text += fmt::format("{}{}{}", text.empty() ? "" : " ", letter, bits);
  };
  if (f.family == Format::Family::Binary) return text;
  if (f.family == Format::Family::Ternary) return "-1 0 1";
  if (f.family == Format::Family::Posit) return fmt::format("s1 r2.. e{} m0..{}", f.range_bits - 2, f.fraction_bits);
  add(is_fixed ? 'i' : 'e', f.range_bits);
  add(is_fixed ? 'f' : 'm', f.fraction_bits);
  return text;
}

std::string real_text(double x) { return std::isnan(x) ? "NaN" : fmt::format("{}", x == 0 ? 0.0 : x); }

// Exponent of the largest real, and of the smallest positive one.
int top_exponent(const Format& f) { return f.max() > 0 ? std::ilogb(f.max()) : 0; }
int bottom_exponent(const Format& f) { return f.smallest() > 0 ? std::ilogb(f.smallest()) : 0; }

// Reals in [2^e, 2^(e+1)).
int64_t count_between(const Format& f, int exponent) {
  const auto below = [&](double x) { return x > f.min() ? f.floor(std::nextafter(x, 0.0)) : f.lo() - 1; };
  return below(std::ldexp(1.0, exponent + 1)) - below(std::ldexp(1.0, exponent));
}

}  // namespace

void FormatFacts::fields(Fields& f) {
  f("name", name, "as configs spell it");
  f("bits", bits, "of a code");
  f("fields", fields_text, "sign, exponent or integer bits, mantissa or fraction bits");
  f("lowest", lowest, "real");
  f("max", max, "largest real");
  f("min_normal", min_normal, "smallest positive real with full precision; 0 if there is none");
  f("smallest", smallest, "smallest positive real; 0 if there is none");
  f("epsilon", epsilon, "step of the grid above 1, or below where it ends at 1 or before");
  f("specials", specials, "infinity, NaN");
  f("needs_f64", needs_f64, "only with \"compute\": \"f64\"");
}

FormatFacts facts_of(const Format& f) {
  const bool is_graded = f.is_float() && f.is_signed;  // has subnormals below the normal numbers
  FormatFacts facts{f.name(), layout(f), "", f.bits()};
  facts.specials = f.has_infinity() ? "inf NaN" : f.family == Format::Family::Posit ? "NaR" : f.has_nan() ? "NaN" : "";
  facts.lowest = f.min();
  facts.max = f.max();
  facts.smallest = f.smallest();
  facts.min_normal = is_graded ? f.value(int64_t{1} << f.fraction_bits) : f.smallest();
  facts.epsilon = f.epsilon();
  facts.needs_f64 = f.needs_f64();
  return facts;
}

std::vector<std::string> facts_heading() {
  return {"format", "bits", "fields", "max", "min normal", "smallest", "epsilon", "lowest", "specials"};
}

std::vector<std::string> facts_row(const FormatFacts& f) {
  const auto shown = [](double x) { return fmt::format("{:.6g}", x); };
  return {f.name,           std::to_string(f.bits), f.fields_text, shown(f.max), shown(f.min_normal), shown(f.smallest),
          shown(f.epsilon), shown(f.lowest),        f.specials};
}

void BlockFacts::fields(Fields& f) {
  f("name", name, "as configs spell it");
  f("length", length, "elements that share a scale");
  f("scale_format", scale_format, "that the scale is stored in");
  f("bits_a_value", bits_a_value, "of its code, and its share of the scale");
}

std::string BlockFacts::text() const {
  return fmt::format("{}: blocks of {} that share a scale in {}: {:.4g} bits a value", name, length, scale_format, bits_a_value);
}

std::optional<BlockFacts> block_facts(const std::string& name, const Quantizer& q) {
  if (q.per.kind != Per::Kind::block) return {};
  const int64_t length = q.per.size;
  return BlockFacts{name, q.scale_format.name(), length, q.bits_for(Shape{length}, 0) / static_cast<double>(length)};
}

void CodeRow::fields(Fields& f) {
  f("code", code, "as tensors hold it");
  f("bits", bits, "as hardware holds it");
  f("value", value, "the real");
}

CodeRow code_row(const Format& f, int64_t code) {
  return {code, fmt::format("{:0{}b}", f.to_bits(code), f.bits()), real_text(f.value(code))};
}

std::vector<CodeRow> code_rows(const Format& f) {
  require(f.bits() <= 16, "{} has 2^{} codes, too many to list; use --encode or --decode", f.name(), f.bits());
  std::vector<CodeRow> rows;
  for (int64_t code = f.lo(); code <= f.hi(); ++code) rows.push_back(code_row(f, code));
  if (f.has_infinity())
    for (const int64_t code : {f.lo() - 1, f.hi() + 1}) rows.push_back(code_row(f, code));
  if (f.has_nan()) rows.push_back(code_row(f, f.nan_code()));
  return rows;
}

int64_t code_of(const Format& f, std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0b") ? 2 : 10;
  const std::string_view digits = text.substr(base == 10 ? 0 : 2);
  const char* end = digits.data() + digits.size();
  if (base == 10) {
    int64_t code = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, code);
    require(error == std::errc() && stop == end, "\"{}\" is no code: wanted a number, say 12, or bits, say 0x0c or 0b1100", text);
    constexpr int64_t kFar = int64_t{1} << 62;
    const bool is_special = f.has_nan() && code > -kFar && code < kFar && f.from_bits(f.to_bits(code)) == code;
    require((code >= f.lo() && code <= f.hi()) || is_special, "{} has the codes {} to {}, found {}", f.name(), f.lo(), f.hi(),
            code);
    return code;
  }
  uint64_t pattern = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, pattern, base);
  require(error == std::errc() && stop == end, "\"{}\" is no pattern of bits, such as 0x0c or 0b1100", text);
  require(f.bits() == 64 || pattern >> f.bits() == 0, "{} has {} bits, found {}", f.name(), f.bits(), text);
  return f.from_bits(pattern);
}

void EncodedNumber::fields(Fields& f) {
  f("x", x, "the number");
  f("code", code, "what it becomes");
  f("error", error, "value - x");
  f("below", below, "the largest real that is not above x");
  f("above", above, "the smallest real that is not below x");
  f("draws", draws, "what many draws of stochastic rounding make of it");
}

EncodedNumber encode(const Format& f, double x, Rounding rounding, Overflow overflow) {
  const int64_t code = round_code(f, x, rounding, overflow), below = std::isnan(x) ? code : f.floor(x);
  const bool is_exact = std::isnan(x) || f.value(below) == x || x < f.min();
  EncodedNumber e{fmt::format("{}", x),
                  real_text(f.value(below)),
                  is_exact         ? real_text(f.value(below))
                  : below < f.hi() ? real_text(f.value(below + 1))
                                   : "none",
                  code_row(f, code),
                  0,
                  {}};
  if (x < f.min()) e.below = "none";
  e.error = f.value(code) - x;
  if (!std::isfinite(e.error)) e.error = 0;
  return e;
}

void Draws::fields(Fields& f) {
  f("samples", samples, "draws");
  f("chance_up", chance_up, "share of them that took the neighbour above");
  f("mean", mean, "of what they became");
  f("standard_error", standard_error, "of that mean");
}

Draws draws_of(const Format& f, double x, Overflow overflow, int64_t samples, Key key) {
  Draws d{samples, 0, 0, 0};
  double squares = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const double y = f.value(round_code(f, x, Rounding::stochastic, overflow, key.uniform(static_cast<uint64_t>(i)))), by = y - x;
    d.chance_up += by > 0;
    d.mean += by;
    squares += by * by;
  }
  const double n = static_cast<double>(samples);
  d.chance_up /= n;
  d.mean /= n;
  d.standard_error = n > 1 ? std::sqrt(std::max(0.0, squares / n - d.mean * d.mean) / (n - 1)) : 0;
  d.mean += x;
  return d;
}

void Binade::fields(Fields& f) {
  f("exponent", exponent, "reals from 2^exponent up to, not including, 2^(exponent + 1)");
  f("first", first, "how many the first format has");
  f("second", second, "how many the second has");
}

std::vector<Binade> compare(const Format& a, const Format& b) {
  std::vector<Binade> rows;
  const int top = std::max(top_exponent(a), top_exponent(b)), bottom = std::min(bottom_exponent(a), bottom_exponent(b));
  for (int e = std::min(top, 1022); e >= bottom; --e) rows.push_back({e, count_between(a, e), count_between(b, e)});
  return rows;
}

void ErrorFacts::fields(Fields& f) {
  f("of", of, "the numbers");
  f("quantizer", quantizer, "what they went through");
  f("samples", samples, "how many");
  f("scale", scale, "the (first) scale");
  f("sqnr_db", sqnr_db, "10 log10(sum x^2 / sum (q - x)^2); 0 if nothing was lost");
  f("mean_error", mean_error, "mean of q - x: the bias");
  f("standard_error", standard_error, "of that mean");
  f("root_mean_square", root_mean_square, "of q - x");
  f("largest", largest, "|q - x|");
  f("zeros", zeros, "share of numbers other than 0 that became 0");
  f("beyond", beyond, "share of numbers outside the grid");
  f("codes_used", codes_used, "different results");
}

std::string ErrorFacts::text() const {
  return fmt::format(
      "{} numbers of {} through {}\n  scale {:.6g}, {} different results\n  SQNR {:.2f} dB, error {:.4g} root mean square, "
      "{:.4g} at "
      "most\n  mean error {:.3g} +- {:.2g} (standard error)\n  {:.2f} % became 0, {:.2f} % lay beyond the grid",
      samples, of, quantizer, scale, codes_used, sqnr_db, root_mean_square, largest, mean_error, standard_error, 100 * zeros,
      100 * beyond);
}

ErrorFacts error_facts(const Tensor& given, const std::string& of, const Quantizer& q, Key noise) {
  const Tensor x = given.reshape(Shape{given.size()});
  require(x.size() > 0, "{}: holds no numbers", of);
  const Fit fitted = fit_to(x, q, 0);
  const Tensor y = quantized(x, q, 0, noise);
  ErrorFacts facts{of, quantizer_text(q), x.size()};
  facts.scale = static_cast<double>(fitted.scale.data<float>()[0]);
  std::vector<double> results;
  double signal = 0, squares = 0, sum = 0;
  const GridEnds ends = q.ends();
  const Lanes lanes = lanes_of(whole_blocks(x, q.per).shape(), q.per, 0);
  visit_real(x.dtype(), [&]<class T>() {
    for (int64_t i = 0; i < x.size(); ++i) {
      const size_t at = static_cast<size_t>(i), lane = static_cast<size_t>(i / lanes.inner % lanes.channels);
      const double a = static_cast<double>(x.data<T>()[at]), b = static_cast<double>(y.data<T>()[at]), e = b - a;
      const double o = fitted.offset ? static_cast<double>(fitted.offset.data<float>()[lane]) : 0;
      const double u = (a - o) / static_cast<double>((fitted.decision ? fitted.decision : fitted.scale).data<float>()[lane]);
      signal += a * a, squares += e * e, sum += e;
      facts.largest = std::max(facts.largest, std::abs(e));
      facts.zeros += a != 0 && b == 0;
      facts.beyond += u < (ends.low - fitted.zero_point) * (1 + 1e-6) || u > (ends.high - fitted.zero_point) * (1 + 1e-6);
      results.push_back(b);
    }
  });
  const double n = static_cast<double>(x.size());
  facts.mean_error = sum / n;
  facts.root_mean_square = std::sqrt(squares / n);
  facts.standard_error = std::sqrt(std::max(0.0, squares / n - facts.mean_error * facts.mean_error) / n);
  facts.sqnr_db = squares > 0 && signal > 0 ? 10 * std::log10(signal / squares) : 0;
  facts.zeros /= n, facts.beyond /= n;
  std::ranges::sort(results);
  facts.codes_used = std::unique(results.begin(), results.end()) - results.begin();
  return facts;
}

}  // namespace lp

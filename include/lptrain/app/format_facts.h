// Number formats seen closely: what they can hold, what becomes of a number, how two of them differ, what they cost in error.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lptrain/quant/quantizer.h"

namespace lp {

// The published figures of a format.
struct FormatFacts {
  std::string name, fields_text, specials;
  int64_t bits = 0;
  double lowest = 0, max = 0, min_normal = 0, smallest = 0, epsilon = 0;
  bool needs_f64 = false;
  void fields(Fields& f);
};
FormatFacts facts_of(const Format& f);
std::vector<std::string> facts_heading();
std::vector<std::string> facts_row(const FormatFacts& facts);

// A format whose scales stand in blocks.
struct BlockFacts {
  std::string name, scale_format;
  int64_t length = 0;       // elements that share a scale
  double bits_a_value = 0;  // of its code, and its share of the scale
  void fields(Fields& f);
  std::string text() const;
};
std::optional<BlockFacts> block_facts(const std::string& name, const Quantizer& q);  // nothing if there are no blocks

// One code: its number, the pattern of its bits, its real ("inf" and "NaN" are words, so that JSON can hold them).
struct CodeRow {
  int64_t code = 0;
  std::string bits, value;
  void fields(Fields& f);
};
CodeRow code_row(const Format& f, int64_t code);
// lo()..hi(), then the special values in the order of their codes.
std::vector<CodeRow> code_rows(const Format& f);
// "-12" is a code; "0x7f" and "0b0111" are patterns of bits. Error(usage) if there is no such code.
int64_t code_of(const Format& f, std::string_view text);

// What becomes of a number, and between which neighbours it lay.
// What stochastic rounding makes of a number: how often it goes up, and the mean of many draws. Unbiased: the mean lies within a
// few standard errors of x.
struct Draws {
  int64_t samples = 0;
  double chance_up = 0, mean = 0, standard_error = 0;
  void fields(Fields& f);
};
struct EncodedNumber {
  std::string x, below, above;
  CodeRow code;
  double error = 0;
  std::optional<Draws> draws;  // of stochastic rounding
  void fields(Fields& f);
};
EncodedNumber encode(const Format& f, double x, Rounding rounding, Overflow overflow);
Draws draws_of(const Format& f, double x, Overflow overflow, int64_t samples, Key key);

// How many positive reals two formats have in [2^exponent, 2^(exponent+1)).
struct Binade {
  int64_t exponent = 0, first = 0, second = 0;
  void fields(Fields& f);
};
std::vector<Binade> compare(const Format& a, const Format& b);  // the largest first

// What a quantizer makes of many numbers. Ratios in 0..1.
struct ErrorFacts {
  std::string of, quantizer;
  int64_t samples = 0, codes_used = 0;
  double scale = 0, sqnr_db = 0, mean_error = 0, standard_error = 0, root_mean_square = 0, largest = 0;
  double zeros = 0, beyond = 0;
  void fields(Fields& f);
  std::string text() const;
};
// x[n]; the first lane's scale is reported. Stochastic rounding draws from `noise`.
ErrorFacts error_facts(const Tensor& x, const std::string& of, const Quantizer& q, Key noise);

// The reals of one or two formats as ticks: over the whole range, near 0, and by powers of two.
std::string formats_svg(std::span<const Format> formats);

}  // namespace lp

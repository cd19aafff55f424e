// lptrain formats: number formats and what they can hold.
#include "lptrain/app/console.h"
#include "lptrain/number/format.h"
#include "rows.h"

namespace lp {
namespace {

struct FormatFacts {
  std::string name, fields_text, specials;
  int64_t bits = 0;
  double lowest = 0, max = 0, min_normal = 0, smallest = 0, epsilon = 0;
  bool needs_f64 = false;

  void fields(Fields& f) {
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
};

struct FormatList {
  std::string status = "finished";
  std::vector<FormatFacts> formats;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("formats", formats, "widest first");
  }
};

// s1 e4 m3: a sign, 4 bits of exponent, 3 of mantissa; i and f: integer and fraction bits.
std::string layout(const Format& f) {
  const bool is_fixed = f.family == Format::Family::Fixed;
  std::string text = f.is_signed ? "s1" : "";
  const auto add = [&](char letter, int bits) {
    if (bits > 0) text += fmt::format("{}{}{}", text.empty() ? "" : " ", letter, bits);
  };
  if (f.family == Format::Family::Binary) return text;
  if (f.family == Format::Family::Ternary) return "-1 0 1";
  add(is_fixed ? 'i' : 'e', f.range_bits);
  add(is_fixed ? 'f' : 'm', f.fraction_bits);
  return text;
}

FormatFacts facts_of(const Format& f) {
  const bool is_graded = f.is_float() && f.is_signed;  // has subnormals below the normal numbers
  FormatFacts facts{f.name(), layout(f), "", f.bits()};
  facts.specials = f.has_infinity() ? "inf NaN" : f.has_nan() ? "NaN" : "";
  facts.lowest = f.min();
  facts.max = f.max();
  facts.smallest = f.smallest();
  facts.min_normal = is_graded ? f.value(int64_t{1} << f.fraction_bits) : f.smallest();
  facts.epsilon = f.epsilon();
  facts.needs_f64 = f.needs_f64();
  return facts;
}

constexpr const char* kGrammar =
    "Also: e<E>m<M>, int<N>, uint<N>, q<I>.<F> and uq<I>.<F> (fixed point), pow2_<N>, and <name>_narrow (without the lowest "
    "code)\n"
    "s sign, e exponent, m mantissa, i integer, f fraction bits";

}  // namespace

int command::formats(const Arguments& arguments) {
  const Console console(arguments);
  const bool all = !arguments.has("FORMAT");
  FormatList list;
  Cells cells{{"format", "bits", "fields", "max", "min normal", "smallest", "epsilon", "lowest", "specials"}};
  const auto shown = [](double x) { return fmt::format("{:.6g}", x); };
  for (const std::string& name : all ? Format::known() : arguments.list("FORMAT")) {
    const FormatFacts& f = list.formats.emplace_back(facts_of(Format::parse(name)));
    cells.push_back({f.name, std::to_string(f.bits), f.fields_text, shown(f.max), shown(f.min_normal), shown(f.smallest),
                     shown(f.epsilon), shown(f.lowest), f.specials});
  }
  console.print("{}", table_text(cells));
  if (all) console.print("\n{}", kGrammar);
  console.json(write(list));
  return 0;
}

}  // namespace lp

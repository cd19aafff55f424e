// lptrain formats: number formats and what they can hold.
#include "lptrain/app/console.h"
#include "lptrain/app/format_facts.h"
#include "lptrain/quant/preset.h"
#include "rows.h"

namespace lp {
namespace {

struct PresetFacts {
  std::string name, doc, means;
  void fields(Fields& f) {
    f("name", name, "as configs spell it");
    f("doc", doc, "what it is");
    f("means", means, "the fields of a quantizer that it stands for");
  }
};

struct FormatList {
  std::string status = "finished";
  std::vector<FormatFacts> formats;
  std::vector<PresetFacts> presets;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("formats", formats, "widest first");
    f("presets", presets, "names for formats with scales per block");
  }
};

constexpr const char* kGrammar =
    "Also: e<E>m<M>, int<N>, uint<N>, q<I>.<F> and uq<I>.<F> (fixed point), pow2_<N>, posit<N>_<ES>, and <name>_narrow (without "
    "the "
    "lowest code)\n"
    "s sign, e exponent, m mantissa, i integer, f fraction, r regime bits";

}  // namespace

int command::formats(const Arguments& arguments) {
  const Console console(arguments);
  const bool all = !arguments.has("FORMAT");
  FormatList list;
  Cells cells{facts_heading()}, preset_cells{{"preset", "what it is"}};
  for (const std::string& name : all ? FormatWord::known() : arguments.list("FORMAT")) {
    const FormatWord word = FormatWord::parse(name);
    if (word.preset) {
      list.presets.push_back({std::string(word.preset->name), std::string(word.preset->doc), std::string(word.preset->json)});
      preset_cells.push_back({list.presets.back().name, list.presets.back().doc});
    } else {
      cells.push_back(facts_row(list.formats.emplace_back(facts_of(word.format))));
    }
  }
  if (!list.formats.empty()) console.print("{}", table_text(cells));
  if (!list.presets.empty()) console.print("{}{}", list.formats.empty() ? "" : "\n", table_text(preset_cells));
  if (all) console.print("\n{}", kGrammar);
  console.json(write(list));
  return 0;
}

}  // namespace lp

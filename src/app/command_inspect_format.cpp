// lptrain inspect-format: a number format under the microscope.
#include <charconv>

#include "lptrain/app/console.h"
#include "lptrain/app/format_facts.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/data/decode_npy.h"
#include "lptrain/quant/preset.h"
#include "rows.h"

namespace lp {
namespace {

struct FormatReport {
  std::string status = "finished";
  FormatFacts format;
  std::optional<FormatFacts> other;
  std::vector<BlockFacts> blocks;
  std::vector<CodeRow> values, decoded;
  std::vector<EncodedNumber> encoded;
  std::vector<Binade> binades;
  std::optional<ErrorFacts> error;

  void fields(Fields& f) {
    f("status", status, "finished");
    f("format", format, "its figures");
    f("blocks", blocks, "how those of the two that have blocks store their scales");
    f("values", values, "every code");
    f("encoded", encoded, "what becomes of numbers");
    f("decoded", decoded, "what codes stand for");
    f("other", other, "the format compared with");
    f("binades", binades, "how many positive reals both have, by powers of two");
    f("error", error, "what the format makes of many numbers");
  }
};

double number_of(const std::string& text) {
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  require(error == std::errc() && end == text.data() + text.size(), "--encode \"{}\": not a number", text);
  return x;
}

// What FORMAT and --compare name: a number format, or a preset with its blocks.
Document quantizer_of(const std::string& name) {
  Document d;
  d.set("format", fmt::format("\"{}\"", FormatWord::parse(name).preset ? name : Format::parse(name).name()), "FORMAT");
  return d;
}

Quantizer quantizer_of(const Arguments& arguments) {
  Document d = quantizer_of(arguments.text("FORMAT"));
  for (const std::string& assignment : arguments.list("set")) d.set(assignment);
  if (arguments.has("round")) d.set("rounding", arguments.text("round"), "--round");
  Quantizer q;
  read(d, q);
  require(q.rounding != Rounding::pseudo_stochastic || !arguments.has("encode"),
          "--encode: pseudo_stochastic looks at the last bits of a whole tensor, of which a single number knows nothing; try "
          "--error-of, or stochastic");
  return q;
}

int64_t samples_of(const Arguments& arguments, Rounding rounding) {
  const bool draws = (arguments.has("error-of") && !arguments.text("error-of").ends_with(".npy")) ||
                     (arguments.has("encode") && rounding == Rounding::stochastic);
  require(draws || !arguments.has("samples"),
          "--samples says how many numbers are drawn: give --error-of gauss or uniform, or --encode X --round stochastic");
  return arguments.integer("samples", 1, 100'000'000).value_or(100'000);
}

// gauss, uniform, or the numbers of a .npy file.
Tensor numbers_of(const std::string& source, int64_t samples) {
  if (source.ends_with(".npy")) return decode_npy(read_file(source), source);
  require(source == "gauss" || source == "uniform", "--error-of \"{}\": wanted gauss, uniform or a file ending in .npy", source);
  const Key key(2718);
  Tensor x(Shape{samples}, DType::f64);
  for (int64_t i = 0; i < samples; ++i) {
    const auto at = static_cast<uint64_t>(i);
    x.data<double>()[at] = source == "gauss" ? key.normal(at) : 2 * key.uniform64(at) - 1;
  }
  return x;
}

std::string codes_text(const std::vector<CodeRow>& rows) {
  Cells cells{{"code", "bits", "value"}};
  for (const CodeRow& r : rows) cells.push_back({std::to_string(r.code), r.bits, r.value});
  return table_text(cells);
}

// A single draw would say nothing.
std::string draws_text(const std::vector<EncodedNumber>& rows) {
  Cells cells{{"x", "below", "above", "draws", "above, %", "mean", "standard error"}};
  for (const EncodedNumber& e : rows)
    cells.push_back({e.x, e.below, e.above, std::to_string(e.draws->samples), fmt::format("{:.2f}", 100 * e.draws->chance_up),
                     fmt::format("{:.6g}", e.draws->mean), fmt::format("{:.2g}", e.draws->standard_error)});
  return table_text(cells);
}

std::string encodings_text(const std::vector<EncodedNumber>& rows) {
  if (!rows.empty() && rows.front().draws) return draws_text(rows);
  Cells cells{{"x", "code", "bits", "value", "error", "below", "above"}};
  for (const EncodedNumber& e : rows)
    cells.push_back(
        {e.x, std::to_string(e.code.code), e.code.bits, e.code.value, fmt::format("{:.6g}", e.error), e.below, e.above});
  return table_text(cells);
}

std::string comparison_text(const FormatReport& report) {
  Cells cells{{"reals from", fmt::format("{} has", report.format.name), fmt::format("{} has", report.other->name)}};
  for (const Binade& b : report.binades)
    cells.push_back({fmt::format("2^{}", b.exponent), std::to_string(b.first), std::to_string(b.second)});
  return fmt::format("{}\n\n{}", table_text({facts_heading(), facts_row(report.format), facts_row(*report.other)}),
                     table_text(cells));
}

void print(const FormatReport& report, const Console& console) {
  std::vector<std::string> parts;
  if (report.other)
    parts.push_back(comparison_text(report));
  else
    parts.push_back(table_text({facts_heading(), facts_row(report.format)}));
  for (const BlockFacts& block : report.blocks) parts.push_back(block.text());
  if (!report.values.empty()) parts.push_back(codes_text(report.values));
  if (!report.encoded.empty()) parts.push_back(encodings_text(report.encoded));
  if (!report.decoded.empty()) parts.push_back(codes_text(report.decoded));
  if (report.error) parts.push_back(report.error->text());
  console.print("{}", join(parts, "\n\n"));
}

}  // namespace

int command::inspect_format(const Arguments& arguments) {
  const Console console(arguments);
  const Quantizer q = quantizer_of(arguments);
  const Format format = q.grid();
  const int64_t samples = samples_of(arguments, q.rounding);
  FormatReport report;
  report.format = facts_of(format);
  if (const auto block = block_facts(arguments.text("FORMAT"), q)) report.blocks.push_back(*block);
  if (arguments.has("values")) report.values = code_rows(format);
  for (const std::string& x : arguments.list("encode")) {
    report.encoded.push_back(encode(format, number_of(x), q.rounding, q.overflows()));
    if (q.rounding == Rounding::stochastic)
      report.encoded.back().draws = draws_of(format, number_of(x), q.overflows(), samples, Key(1).with("draws"));
  }
  for (const std::string& code : arguments.list("decode")) report.decoded.push_back(code_row(format, code_of(format, code)));
  std::vector<Format> drawn{format};
  if (arguments.has("compare")) {
    Quantizer other;
    read(quantizer_of(arguments.text("compare")), other);
    drawn.push_back(other.grid());
    if (const auto block = block_facts(arguments.text("compare"), other)) report.blocks.push_back(*block);
    report.other = facts_of(drawn.back());
    report.binades = compare(format, drawn.back());
  }
  if (arguments.has("error-of"))
    report.error =
        error_facts(numbers_of(arguments.text("error-of"), samples), arguments.text("error-of"), q, Key(1).with("rounding"));
  print(report, console);
  if (arguments.has("svg")) {
    write_file(arguments.text("svg"), formats_svg(drawn));
    console.say("wrote {}", arguments.text("svg"));
  }
  console.json(write(report));
  return 0;
}

}  // namespace lp

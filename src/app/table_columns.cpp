// The table of columns, and how their numbers are read and written.
#include "lptrain/app/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr TableColumn kColumns[] = {
    {"accuracy", "test accuracy, %", "best.test.accuracy", Unit::percent, Better::higher, Shown::spread,
     "test accuracy: of the epoch that validation selects"},
    {"last", "last epoch, %", "test.accuracy", Unit::percent, Better::higher, Shown::spread,
     "last epoch: test accuracy of the last epoch's model"},
    {"error", "test error, %", "best.test.accuracy", Unit::error, Better::lower, Shown::spread,
     "test error: of the epoch that validation selects", false},
    {"last_error", "last epoch's error, %", "test.accuracy", Unit::error, Better::lower, Shown::spread,
     "last epoch's error: of the last epoch's model", false},
    {"difference", "difference, points", "best.test.accuracy", Unit::points, Better::higher, Shown::difference, ""},
    {"bits_per_weight", "bits / weight", "cost.bits_per_weight", Unit::bits, Better::lower, Shown::mean, ""},
    {"packed_bytes", "bytes", "cost.packed_bytes", Unit::bytes, Better::lower, Shown::mean,
     "bytes: of the weights' file, packed, measured"},
    {"dense_bytes", "dense bytes", "cost.dense_bytes", Unit::bytes, Better::lower, Shown::mean,
     "dense bytes: of all codes at their own width, without the file's notes", false},
    {"sparse_bytes", "sparse bytes", "cost.sparse_bytes", Unit::bytes, Better::lower, Shown::mean,
     "sparse bytes: zeros left out, with an index of the others", false},
    {"huffman_bytes", "Huffman bytes", "cost.huffman_bytes", Unit::bytes, Better::lower, Shown::mean,
     "Huffman bytes: codes and index in words of varying length", false},
    {"compression", "f32 / Huffman bytes", "cost.compression", Unit::ratio, Better::higher, Shown::spread,
     "f32 / Huffman bytes: how many times smaller than all parameters in f32", false},
    {"macs", "MACs", "cost.macs", Unit::count, Better::lower, Shown::mean, "MACs: for one example"},
    {"bit_operations", "bit operations", "cost.bit_operations", Unit::count, Better::lower, Shown::mean,
     "bit operations: MACs times the bits of both operands"},
    {"energy", "energy (estimate)", "cost.energy_joules", Unit::joules, Better::lower, Shown::mean,
     "energy: an estimate for 45 nm, after Horowitz 2014"},
    {"latency_1", "latency, batch 1", "cost.latency.batch_1", Unit::seconds, Better::lower, Shown::spread,
     "latency: of a batch, with the threads of a run; in a sweep measured when nothing else of it runs"},
    {"latency_64", "latency, batch 64", "cost.latency.batch_64", Unit::seconds, Better::lower, Shown::spread, ""},
    {"sparsity", "sparsity, %", "cost.sparsity", Unit::percent, Better::neither, Shown::spread, ""},
    {"seconds", "training", "seconds", Unit::seconds, Better::lower, Shown::spread,
     "training: time on the clock, beside whatever ran at the same time"},
};

constexpr const char* kSelectedBy = "best.validation.examples";

}  // namespace

std::span<const TableColumn> table_columns() { return kColumns; }

const TableColumn& find_column(const std::string& key) {
  std::vector<std::string> known;
  for (const TableColumn& column : kColumns) {
    if (column.key == key) return column;
    known.emplace_back(column.key);
  }
  fail(ErrorKind::usage, "unknown column \"{}\"{}", key, suggestion(key, known));
}

std::optional<double> value_in(const Document& summary, const TableColumn& column) {
  const bool is_selected = column.path.starts_with("best.");
  if (is_selected && summary.has(kSelectedBy) && summary.text_at(kSelectedBy) == "0") return {};  // by nothing
  const std::string path(column.path);
  const std::string examples = path.substr(0, path.rfind('.')) + ".examples";
  if (!summary.has(path) || (summary.has(examples) && summary.text_at(examples) == "0")) return {};
  const std::string text = summary.text_at(path);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end || !std::isfinite(value)) return {};
  if (column.unit == Unit::error) return 100 * (1 - value);
  return column.unit == Unit::percent || column.unit == Unit::points ? 100 * value : value;
}

std::string number_text(double value, Unit unit) {
  switch (unit) {
    case Unit::percent:
    case Unit::error: return fmt::format("{:.2f}", value);
    case Unit::points: return fmt::format("{:+.2f}", value);
    case Unit::bits: return fmt::format("{:.3g}", value);
    case Unit::count: return human_count(value);
    case Unit::bytes: return human_bytes(std::llround(value));
    case Unit::seconds: return human_seconds(value);
    case Unit::ratio: return fmt::format("{:.1f}", value);
    case Unit::joules: return human_quantity(value, "J");
  }
  return "";
}

std::string estimate_text(const Estimate& e, const TableColumn& column) {
  if (e.count == 0) return "-";
  std::string text = number_text(e.mean, column.unit);
  if (e.count < 2) return text;
  if (column.shown == Shown::difference) return fmt::format("{} [{:+.2f}, {:+.2f}]", text, e.low, e.high);
  return column.shown == Shown::spread ? fmt::format("{} ± {}", text, number_text(e.deviation, column.unit)) : text;
}

}  // namespace lp

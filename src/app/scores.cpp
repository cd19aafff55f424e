// Results as text.
#include "lptrain/app/scores.h"

#include "lptrain/app/console.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/text.h"
#include "lptrain/train/adaptive.h"

namespace lp {
namespace {

std::vector<std::string> row(const std::string& name, const Score& score, const std::string& remark) {
  return {name, fmt::format("{:.4f}", score.loss), percent(score.accuracy), remark};
}

}  // namespace

std::string percent(double share) { return fmt::format("{:.2f}%", 100 * share); }

std::string end_text(const Summary& s) {
  if (s.is_found()) return fmt::format("the model of epoch {}, which the search for bits kept", s.best->epoch);
  return "the last epoch's model";
}

std::string score_table(const Summary& s) {
  Cells cells{{"", "loss", "accuracy", ""}};
  if (s.train) cells.push_back(row("train", *s.train, "while the weights were moving"));
  if (s.validation.examples > 0)
    cells.push_back(row("validation", s.validation, fmt::format("{} examples", s.validation.examples)));
  if (s.test.examples > 0) cells.push_back(row("test", s.test, fmt::format("{} examples, {}", s.test.examples, end_text(s))));
  if (s.best && s.best->epoch > 0 && s.best->test.examples > 0)
    cells.push_back(row("best", s.best->test, fmt::format("test of epoch {}, which validation selects", s.best->epoch)));
  return table_text(cells);
}

std::string size_line(const Summary& s) {
  const Summary::Cost& c = s.cost;
  std::string line =
      fmt::format("{} parameters, {:.3g} bits a weight", human_count(static_cast<double>(s.parameters)), c.bits_per_weight);
  if (!s.phases.empty() && s.phases.back().sparsity) line += fmt::format(", {:.1f}% of them zero", 100 * c.sparsity);
  if (c.packed_bytes) line += fmt::format(", {} packed", human_bytes(*c.packed_bytes));
  if (const std::string coded = coded_text(c); !coded.empty()) line += fmt::format(" ({})", coded);
  line += fmt::format(", {} multiplications an example", human_count(static_cast<double>(c.macs)));
  if (c.latency)
    line +=
        fmt::format(", {} for one and {} for 64 at once", human_seconds(c.latency->batch_1), human_seconds(c.latency->batch_64));
  return line;
}

void ScoreChange::fields(Fields& f) {
  f("validation_before", validation_before, "of the source");
  f("validation", validation, "of what came out");
  f("test_before", test_before, "of the source");
  f("test", test, "of what came out");
}

std::string ScoreChange::text() const {
  Cells cells{{"accuracy", "before", "after"}};
  for (const auto& [split, before, after] :
       {std::tuple{"validation", validation_before, validation}, std::tuple{"test", test_before, test}})
    if (before.examples > 0) cells.push_back({split, percent(before.accuracy), percent(after.accuracy)});
  return table_text(cells);
}

ScoreChange score_change(const Trained& before, const Trained& after) {
  return {score_of(before, before.data.validation), score_of(after, after.data.validation), score_of(before, before.data.test),
          score_of(after, after.data.test)};
}

std::string coded_text(const Summary::Cost& c) {
  if (!c.huffman_bytes || !c.dense_bytes || 4 * *c.huffman_bytes > 3 * *c.dense_bytes) return "";
  return fmt::format("{} dense, {} sparse, {} with Huffman's words: {:.1f} times smaller than f32", human_bytes(*c.dense_bytes),
                     human_bytes(c.sparse_bytes.value_or(0)), human_bytes(*c.huffman_bytes), c.compression.value_or(0));
}

int verdict_on_searches(const Summary& s) {
  int code = 0;
  for (const PhaseScores& p : s.phases) {
    if (p.met.value_or(true)) continue;
    print_error(
        fmt::format("phase \"{}\" never reached the target accuracy of its search for bits: {} and {} of the validation "
                    "examples are what it ends with; lower adaptive.target_accuracy, or train longer or with more bits",
                    p.name, bits_text(p.bits), percent(p.validation.accuracy)));
    code = static_cast<int>(ErrorKind::diverged);
  }
  return code;
}

std::optional<double> least_demanded(const Arguments& arguments) { return arguments.number("fail-below", 0, 1); }

int verdict_on(const Arguments& arguments, double accuracy, const std::string& what) {
  const auto least = least_demanded(arguments);
  if (!least || accuracy >= *least) return 0;
  print_error(fmt::format("{} is {}, below the demanded {} (--fail-below)", what, percent(accuracy), percent(*least)));
  return static_cast<int>(ErrorKind::diverged);
}

}  // namespace lp

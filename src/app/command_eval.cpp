// lptrain eval: loss and accuracy of a trained model on a split.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/text.h"
#include "lptrain/nn/freeze.h"
#include "lptrain/train/metrics.h"
#include "rows.h"

namespace lp {
namespace {

constexpr int64_t kMostColumns = 40;  // classes that a confusion table can show side by side

struct ClassScore {
  std::string name;
  int64_t examples = 0;
  double precision = 0, recall = 0;
  void fields(Fields& f) {
    f("name", name, "of the class");
    f("examples", examples, "of the class in the split");
    f("precision", precision, "share of the examples named so that are");
    f("recall", recall, "share of its examples that were found");
  }
};

struct EvalResult {
  std::string status = "finished", run, split;
  int64_t epochs = 0;
  double seconds = 0;
  std::optional<Score> train, validation, test;  // the one that was measured
  std::vector<ClassScore> classes;               // --per-class
  std::vector<std::vector<int64_t>> confusion;   // --confusion
  void fields(Fields& f) {
    f("status", status, "finished");
    f("run", run, "the weights file");
    f("split", split, "that was measured");
    f("epochs", epochs, "of training");
    f("seconds", seconds, "that measuring took");
    f("train", train, "loss and accuracy");
    f("validation", validation, "loss and accuracy");
    f("test", test, "loss and accuracy");
    f("classes", classes, "with --per-class");
    f("confusion", confusion, "with --confusion: rows are true classes, columns predicted ones");
  }
};

Confusion confusion_of(const Trained& trained, const Subset& split, const Evaluation& evaluation) {
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < split.size(); ++i) labels.push_back(split.label(i));
  Confusion confusion(std::ssize(trained.data.classes));
  confusion.add(evaluation.predicted, labels);
  return confusion;
}

std::vector<ClassScore> class_scores(const Confusion& confusion, const std::vector<std::string>& names) {
  std::vector<ClassScore> scores;
  for (int64_t c = 0; c < confusion.classes(); ++c) {
    ClassScore s{names[static_cast<size_t>(c)], 0, confusion.precision(c), confusion.recall(c)};
    for (int64_t k = 0; k < confusion.classes(); ++k) s.examples += confusion.count(c, k);
    scores.push_back(s);
  }
  return scores;
}

std::string text_of(const std::vector<ClassScore>& scores) {
  Cells cells{{"class", "examples", "precision", "recall"}};
  for (const ClassScore& s : scores)
    cells.push_back({s.name, fmt::format("{}", s.examples), percent(s.precision), percent(s.recall)});
  return table_text(cells);
}

std::string text_of(const Confusion& confusion, const std::vector<std::string>& names) {
  require(confusion.classes() <= kMostColumns, "--confusion shows at most {} classes, here are {}; with --json it shows all",
          kMostColumns, confusion.classes());
  Cells cells{{"true \\ predicted"}};
  for (const std::string& name : names) cells[0].push_back(name);
  for (int64_t c = 0; c < confusion.classes(); ++c) {
    auto& row = cells.emplace_back(1, names[static_cast<size_t>(c)]);
    for (int64_t k = 0; k < confusion.classes(); ++k)
      row.push_back(confusion.count(c, k) ? fmt::format("{}", confusion.count(c, k)) : "-");
  }
  return table_text(cells);
}

std::vector<std::vector<int64_t>> rows_of(const Confusion& confusion) {
  std::vector<std::vector<int64_t>> rows;
  for (int64_t c = 0; c < confusion.classes(); ++c) {
    auto& row = rows.emplace_back();
    for (int64_t k = 0; k < confusion.classes(); ++k) row.push_back(confusion.count(c, k));
  }
  return rows;
}

void add_details(const Arguments& arguments, const Console& console, const Confusion& confusion,
                 const std::vector<std::string>& names, EvalResult& result) {
  if (arguments.has("per-class")) {
    result.classes = class_scores(confusion, names);
    console.print("\n{}", text_of(result.classes));
  }
  if (arguments.has("confusion")) {
    result.confusion = rows_of(confusion);
    if (!console.is_json()) console.print("\n{}", text_of(confusion, names));
  }
}

}  // namespace

int command::eval(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const Trained trained = trained_of(arguments);
  EvalResult result;
  result.run = trained.file.string();
  result.split = split_name(arguments);
  const Subset& split = split_of(trained.data, result.split);
  const TrainSpec& train = trained.config.phases.back().train;
  for (const PhaseSpec& phase : trained.config.phases) result.epochs += phase.train.epochs;
  const Stopwatch watch;
  freeze(*trained.model);
  const Evaluation evaluation = evaluate(*trained.model, *train.loss, trained.data, split, train.eval_batch);
  result.seconds = watch.seconds();
  (result.split == "train" ? result.train : result.split == "validation" ? result.validation : result.test) = evaluation.score;
  console.print("{}: {} split of {}: loss {:.4f}, accuracy {} of {} examples ({})", result.run, result.split, trained.data.name,
                evaluation.score.loss, percent(evaluation.score.accuracy), split.size(), human_seconds(result.seconds));
  add_details(arguments, console, confusion_of(trained, split, evaluation), trained.data.classes, result);
  console.json(write(result));
  return verdict_on(arguments, evaluation.score.accuracy, fmt::format("the accuracy on the {} split", result.split));
}

}  // namespace lp

// lptrain search: the lowest precision that meets a requirement, as a config that runs.
#include "lptrain/app/config_source.h"
#include "lptrain/app/narrowing.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/search.h"
#include "lptrain/app/stop.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

constexpr const char* kFormats = "int8,int6,int5,int4,int3,int2";

Goal goal_of(const std::string& text) {
  std::vector<std::string> known;
  for (const std::string_view word : Words<Goal>::list) {
    if (word == text) return static_cast<Goal>(known.size());
    known.emplace_back(word);
  }
  fail(ErrorKind::usage, "--minimize: unknown goal \"{}\"{}", text, suggestion(text, known));
}

SearchSpec spec_of(const RunConfig& config, const Arguments& arguments) {
  SearchSpec spec;
  spec.config = config.document;
  const auto least = arguments.number("min-accuracy", 0, 1);
  require(least.has_value(), "search: wants --min-accuracy X, the share of validation examples (0..1) that must be right");
  spec.min_accuracy = *least;
  if (arguments.has("minimize")) spec.minimize = goal_of(arguments.text("minimize"));
  for (const Format& f : formats_in(arguments.has("formats") ? arguments.text("formats") : kFormats))
    spec.formats.push_back(f.name());
  spec.budget = arguments.integer("budget", 1, 10000).value_or(spec.budget);
  return spec;
}

std::string path_text(const SearchResult& r) {
  Cells cells{{"trial", "precision of the weights", "validation", r.minimize, ""}};
  for (size_t i = 0; i < r.trials.size(); ++i) {
    const SearchTrial& t = r.trials[i];
    cells.push_back({fmt::format("{}", i + 1), t.precision, percent(t.validation), fmt::format("{:.6g}", t.cost),
                     t.meets ? "enough" : "too low"});
  }
  return table_text(cells);
}

}  // namespace

int command::search(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const RunConfig config = config_of(arguments.text("CONFIG"), arguments);
  const SearchSpec spec = spec_of(config, arguments);
  const std::filesystem::path folder = arguments.has("out") ? arguments.text("out") : fmt::format("runs/{}-search", config.name);
  const StopSignals stop;
  const SearchResult r = run_search(spec, folder, arguments.text("data"), console, stop.flag());
  console.print("{}", path_text(r));
  console.json(write(r));
  if (r.status == "interrupted") {
    console.say("interrupted after {} trials; everything is saved. Go on with the same command and --out {}", r.trials.size(),
                r.folder);
    return stop.exit_code();
  }
  if (r.status == "unreachable") {
    print_error(fmt::format("search: {} does not reach {} of the validation examples; try wider --formats or longer training",
                            spec.formats.front(), percent(spec.min_accuracy)));
    return static_cast<int>(ErrorKind::diverged);
  }
  console.print("\nlowest precision: {} ({} {}), validation {}, test {}\nlptrain {}", r.precision, fmt::format("{:.6g}", r.cost),
                r.minimize, percent(r.validation), percent(*r.test), r.config);
  return 0;
}

}  // namespace lp

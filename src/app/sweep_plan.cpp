// The grid of a sweep, resolved.
#include "lptrain/app/sweep_plan.h"

#include <algorithm>
#include <map>

#include "lptrain/app/problems.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/base/version.h"
#include "lptrain/train/config.h"
#include "lptrain/train/teacher.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

// ---- Cells

// Cells with their configs.
struct Resolved {
  std::vector<SweepCell> cells;
  std::vector<RunConfig> configs;
};

void assign(Document& config, const Assignments& set, Problems& problems) {
  for (const auto& [path, value] : set)
    problems.attempt(value.origin(""), [&, &path = path, &value = value] {
      config.set(path, value.dump(0), value.origin(""));
      refuse_hidden(config, path, path);
    });
}

// What a cell is before anything is checked; nothing if a rule leaves it out.
std::optional<SweepCell> cell_at(const SweepSpec& spec, const std::vector<Axis>& axes, const Points& points, Problems& problems) {
  SweepCell cell{.points = points, .config = spec.base, .identity = {}};
  for (const char* text : {"description", "expected"}) cell.config.erase(text);  // they speak of the base
  assign(cell.config, spec.set, problems);
  for (size_t i = 0; i < axes.size(); ++i) assign(cell.config, point_of(axes[i], points[i]).set, problems);
  for (const CellRule& rule : spec.cells) {
    if (!holds(rule.where, axes, points)) continue;
    if (rule.skip) return {};
    assign(cell.config, rule.set, problems);
  }
  return cell;
}

// A config may come without a base, from points that extend one; but not from nowhere.
void check_named(const Document& config, const Document& base, Problems& problems) {
  for (const char* key : {"model", "dataset"})
    if (!config.has(key))
      problems.add(base.origin(""), fmt::format("no \"{}\": wanted one in \"base\", the config that all runs begin with, or in "
                                                "what is set over it",
                                                key));
}

// All cells are read and checked; those that `keeps` selects are kept.
template <class Keeps>
Resolved resolved(const SweepSpec& spec, const std::vector<Axis>& axes, Problems& problems, const Keeps& keeps) {
  Resolved all;
  for (const Points& points : grid(axes)) {
    std::optional<SweepCell> cell = cell_at(spec, axes, points, problems);
    if (!cell) continue;
    check_named(cell->config, spec.base, problems);
    problems.attempt(spec.name, [&] {
      const RunConfig config = read_config(cell->config);
      refuse_hidden(cell->config, "train.seed", "seeds");
      cell->config = compact(config);
      if (!keeps(points)) return;
      all.cells.push_back(std::move(*cell));
      all.configs.push_back(config);
    });
  }
  return all;
}

// A mistake in a size that nobody asked for now is found now, too.
void check_sizes(const SweepSpec& spec, const std::vector<Axis>& axes, Problems& problems) {
  for (const std::string size : kSmaller) {
    if (!size_of(spec, size).is_said()) continue;
    const SweepSpec smaller = in_size(spec, size);
    problems.attempt(spec.name, [&] {
      const Selection selection(axes, smaller.only, size + ".only");
      resolved(smaller, axes, problems, [&](const Points& points) { return selection.has(points); });
    });
  }
}

// ---- What a cell's run will be

struct DataShape {
  Shape shape;
  int64_t classes = 0, train = 0;
  std::string digest;
};

// Every data set is read once, for all cells that are trained on it.
std::map<std::string, DataShape> read_data(const std::vector<RunConfig>& configs, const std::string& data_folder) {
  std::map<std::string, DataShape> sets;
  std::string missing;
  for (const RunConfig& config : configs) {
    const std::string text = write(config.dataset).dump(0);
    if (sets.contains(text)) continue;
    try {
      const Dataset data = load_dataset(config.dataset, data_folders(data_folder));
      sets[text] = {data.shape, std::ssize(data.classes), data.train.size(), data.digest};
    } catch (const DocumentError&) {
      throw;
    } catch (const Error& e) {
      if (e.kind != ErrorKind::data) throw;
      sets[text] = {};
      missing += (missing.empty() ? "" : "\n") + std::string(e.what());
    }
  }
  if (!missing.empty()) fail(ErrorKind::data, "{}", missing);
  return sets;
}

std::string digest_of_start(const std::string& init_from) {
  if (init_from.empty()) return "";
  return sha256(read_file(fs::is_directory(init_from) ? fs::path(init_from) / "best.safetensors" : fs::path(init_from)));
}

// Of what teaches: its weights, or the config that makes it.
std::string digest_of_teachers(const RunConfig& config) {
  std::string digests;
  check_teachers(config);
  for (size_t i = 0; i < config.phases.size(); ++i)
    if (const auto& distill = config.phases[i].distill)
      digests += is_made_here(*distill) ? sha256(teacher_config(config, i).document.dump(0)) : digest_of_start(distill->teacher);
  return digests;
}

// What people are told does not decide what comes out.
Document without_texts(Document text) {
  for (const char* key : {"name", "description", "expected"}) text.erase(key);
  return text;
}

void complete(SweepCell& cell, const RunConfig& config, const DataShape& data) {
  Model model = made_model(config, config.phases.front(), data.shape, data.classes);
  for (const PhaseSpec& phase : config.phases) cell.epochs += phase.train.epochs;
  double macs = 0;
  for (const LayerLine& line : model.lines()) macs += static_cast<double>(line.cost.macs);
  cell.work = macs * static_cast<double>(cell.epochs) * static_cast<double>(data.train);
  cell.identity =
      fmt::format("{}\n{}\n{}\n{}\n{}", version(), data.digest, digest_of_start(config.init_from) + digest_of_teachers(config),
                  without_texts(write(model.spec(), true)).dump(0), without_texts(cell.config).dump(0));
}

void refuse_twins(const std::vector<SweepCell>& cells, Problems& problems, const std::string& sweep) {
  std::map<std::string, const SweepCell*> seen;
  for (const SweepCell& cell : cells) {
    const auto [twin, is_new] = seen.emplace(cell.identity, &cell);
    if (!is_new)
      problems.add(sweep, fmt::format("\"{}\" and \"{}\" are the same run: a row is there twice, or one axis undoes another",
                                      join(twin->second->points, " "), join(cell.points, " ")));
  }
}

void complete_all(std::vector<SweepCell>& cells, const std::vector<RunConfig>& configs, const std::string& sweep,
                  const std::string& data_folder) {
  Problems problems;
  const auto data = read_data(configs, data_folder);
  for (size_t i = 0; i < configs.size(); ++i)
    problems.attempt(fmt::format("{}: {}", sweep, join(cells[i].points, " ")),
                     [&] { complete(cells[i], configs[i], data.at(write(configs[i].dataset).dump(0))); });
  problems.raise();
  refuse_twins(cells, problems, sweep);
  problems.raise();
}

// ---- Jobs

// Letters, digits and a few signs, so that a name makes a folder anywhere.
std::string safe(const std::string& name) {
  constexpr size_t kLongest = 80;
  std::string text = name.substr(0, kLongest);
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
  return text[0] == '.' ? "_" + text : text;
}

SweepJob job_of(const SweepPlan& plan, size_t cell, int64_t seed, const std::string& sweep) {
  constexpr size_t kDigits = 10;
  const std::vector<std::string>& points = plan.cells[cell].points;
  SweepJob job{cell, seed, fmt::format("{} seed {}", points.empty() ? sweep : join(points, " "), seed), {}, {}};
  job.key = sha256(fmt::format("{}\nseed {}", plan.cells[cell].identity, seed));
  job.stem = safe(job.name) + "-" + job.key.substr(0, kDigits);
  return job;
}

}  // namespace

Dictionary<std::string> SweepPlan::labels(const SweepCell& cell) const {
  Dictionary<std::string> all;
  for (size_t i = 0; i < axes.size(); ++i) all.emplace_back(axes[i].name, cell.points[i]);
  return all;
}

Document SweepPlan::config(const SweepJob& job) const {
  Document config = cells[job.cell].config;
  config.set("name", job.name, job.name);  // no JSON, so it is taken as text
  config.set("train.seed", std::to_string(job.seed), job.name);
  return config;
}

SweepPlan plan_sweep(const SweepSpec& spec, const std::vector<std::string>& only, const std::string& data_folder) {
  SweepPlan plan{axes_of(spec), {}, {}};
  const Selection in_spec(plan.axes, spec.only, "only"), asked(plan.axes, only, "--only");
  Problems problems;
  Resolved kept =
      resolved(spec, plan.axes, problems, [&](const Points& points) { return in_spec.has(points) && asked.has(points); });
  check_sizes(spec, plan.axes, problems);
  problems.raise();
  plan.cells = std::move(kept.cells);
  complete_all(plan.cells, kept.configs, spec.name, data_folder);
  require(!plan.cells.empty(), "{}: no cell is left: all are skipped or not selected", spec.name);
  for (size_t c = 0; c < plan.cells.size(); ++c)
    for (const int64_t seed : spec.seeds) plan.jobs.push_back(job_of(plan, c, seed, spec.name));
  return plan;
}

}  // namespace lp

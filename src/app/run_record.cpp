// Reading run folders, with suspicion.
#include "lptrain/app/run_record.h"

#include <algorithm>

#include "lptrain/app/sweep_folder.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"
#include "lptrain/base/version.h"
#include "lptrain/train/config.h"
#include "lptrain/train/trainer.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

template <class T>
T read_as(const Document& document) {
  T value;
  read(document, value);
  return value;
}

// Of the last phase. Without epochs that has one model, whose scores are those of the end; older runs select none of it.
Best selected(const std::vector<EpochScores>& epochs, const Document& summary, const Best& said) {
  Best best;
  const int64_t done = summary.has("phases") ? static_cast<int64_t>(summary.size("phases")) : 0;
  const int64_t last = done > 0 ? done - 1 : epochs.empty() ? 0 : epochs.back().phase;
  for (const EpochScores& e : epochs)
    if (e.phase == last && selects(e, best)) best = {e.epoch, e.validation, e.met};
  const bool has_epochs = std::ranges::find(epochs, last, &EpochScores::phase) != epochs.end();
  if (!has_epochs && said.epoch == 0 && said.validation.examples > 0) best.validation = read_as<Score>(summary.at("validation"));
  return best;
}

std::string version_name(const std::string& version, const std::string& commit) {
  return fmt::format("{} ({})", version, commit.empty() ? "unknown commit" : commit);
}

RunRecord record_of(const fs::path& folder) {
  RunRecord run;
  run.folder = folder;
  run.status = status_of_run(folder);
  if (run.status != "finished" && run.status != "diverged") return run;
  run.summary = read_left(folder / "summary.json");
  run.version = version_of_run(folder);
  if (run.status == "finished") check_selection(run.summary, folder);
  return run;
}

RunRecord lone_record(const fs::path& folder) {
  RunRecord run = record_of(folder);
  const Document config = read_left(folder / "config.json");
  run.labels = {{"run", config.has("name") ? config.text_at("name") : folder.filename().string()}};
  run.seed = config.has("train.seed") ? std::atoll(config.text_at("train.seed").c_str()) : 0;
  return run;
}

}  // namespace

Versions versions_of(const std::vector<RunRecord>& runs) {
  Versions versions;
  for (const RunRecord& run : runs) {
    if (run.version.empty()) continue;
    auto place = std::ranges::find(versions, run.version, &Versions::value_type::first);
    if (place == versions.end()) place = versions.insert(place, {run.version, 0});
    ++place->second;
  }
  return versions;
}

std::string versions_text(const Versions& versions) {
  if (versions.size() == 1) return versions[0].first;
  std::vector<std::string> texts;
  for (const auto& [version, runs] : versions) texts.push_back(fmt::format("{}: {} run{}", version, runs, runs == 1 ? "" : "s"));
  return join(texts);
}

std::string version_of_run(const fs::path& run) {
  const fs::path file = run / "meta.json";
  if (!fs::is_regular_file(file)) return "";
  const Document meta = read_left(file);
  const auto text = [&](const char* key) { return meta.has(key) ? meta.text_at(key) : ""; };
  return version_name(text("version"), text("commit"));
}

std::string own_version() { return version_name(version(), commit()); }

std::vector<EpochScores> read_metrics(const fs::path& run) {
  const fs::path file = run / "metrics.jsonl";
  if (!fs::exists(file)) fail(ErrorKind::data, "{}: there is no metrics.jsonl; is it a run folder?", run.string());
  std::vector<EpochScores> epochs;
  int64_t number = 0;
  for (const std::string& line : split(read_file(file), '\n')) {
    ++number;
    if (line.empty()) continue;
    epochs.push_back(
        undamaged([&] { return read_as<EpochScores>(Document::parse(line, fmt::format("{}:{}", file.string(), number))); }));
  }
  return epochs;
}

std::string status_of_run(const fs::path& run) {
  std::error_code error;
  if (!fs::exists(run, error)) return "waiting";
  const fs::path file = run / "summary.json";
  if (!fs::exists(file, error)) return "started";
  const Document summary = read_left(file);
  const std::string status = summary.has("status") ? summary.text_at("status") : "";
  return status == "finished" || status == "diverged" ? status : "started";
}

void check_selection(const Document& summary, const fs::path& run) {
  const fs::path file = run / "summary.json";
  const Best said = undamaged([&] {
    if (summary.at("best").dump(0) == "null") return Best();
    Best best{0, read_as<Score>(summary.at("best.validation"))};
    best.epoch = std::atoll(summary.text_at("best.epoch").c_str());
    return best;
  });
  const std::vector<EpochScores> epochs = read_metrics(run);
  const Best best = undamaged([&] { return selected(epochs, summary, said); });
  const bool is_right = said.epoch == best.epoch && said.validation.accuracy == best.validation.accuracy &&
                        said.validation.loss == best.validation.loss;
  const std::string wanted = "a number that was not selected by validation does not come into a table";
  if (!is_right)
    fail(ErrorKind::data,
         "{}: says that epoch {} is the best, with validation accuracy {}; by metrics.jsonl, validation selects epoch {}, with "
         "{}; {}",
         file.string(), said.epoch, said.validation.accuracy, best.epoch, best.validation.accuracy, wanted);
  const bool last_is_best =
      best.validation.examples > 0 && (best.epoch == 0 || best.epoch == epochs.back().epoch);  // 0: of a phase without epochs
  if (last_is_best && undamaged([&] { return summary.at("best.test") != summary.at("test"); }))
    fail(ErrorKind::data, "{}: the best epoch is the last one, but their test scores differ; {}", file.string(), wanted);
}

std::vector<RunRecord> read_records(const std::vector<std::string>& folders) {
  std::vector<RunRecord> runs;
  for (const std::string& folder : folders) {
    if (!is_sweep_folder(folder)) {
      require(fs::is_regular_file(fs::path(folder) / "config.json"), "{}: is neither the folder of a sweep nor of a run", folder);
      runs.push_back(lone_record(folder));
      continue;
    }
    for (const JobLine& job : read_jobs(folder)) {
      RunRecord& run = runs.emplace_back(record_of(fs::path(folder) / job.run));
      run.labels = job.points;
      run.seed = job.seed;
    }
  }
  return runs;
}

namespace {

std::string formats_in(const Document& config) {
  const size_t phases = config.has("phases") ? config.size("phases") : 0;
  const std::string path = phases > 0 ? fmt::format("phases.{}.precision", phases - 1) : "precision";
  const auto precision = config.has(path) ? read_as<Precision>(config.at(path)) : Precision{};
  const std::string reals = config.has("compute") && config.text_at("compute") == "f64" ? "f64" : "f32";
  const auto name = [&](Role role) {
    const Quantizer& q = precision.roles[static_cast<size_t>(role)];
    return q.is_identity() ? reals : q.format.name();
  };
  return name(Role::weights) + "/" + name(Role::activations);
}

// A choice with nothing but defaults stands in a config as its name alone.
std::optional<std::string> default_at(const Document& config, const std::string& path) {
  const auto is_chosen = [&](size_t dot) {
    const std::string above = path.substr(0, dot), name = path.substr(dot + 1, path.find('.', dot + 1) - dot - 1);
    return config.has(above) && config.text_at(above) == name;
  };
  for (size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (is_chosen(dot))
      for (const FieldHelp& field : help<RunConfig>())
        if (field.path == path) return field.fallback;
  return {};
}

}  // namespace

std::string label_of(const RunRecord& run, const std::string& axis) {
  for (const auto& [name, point] : run.labels)
    if (name == axis) return point;
  const fs::path file = run.folder / "config.json";
  if (!fs::is_regular_file(file)) return "-";
  const Document config = read_left(file);
  if (axis == kFormatsAxis) return undamaged([&] { return formats_in(config); });
  if (config.has(axis)) return config.text_at(axis);
  if (const std::optional<std::string> value = default_at(config, axis)) return *value;
  std::vector<std::string> known{kFormatsAxis};
  for (const auto& label : run.labels) known.push_back(label.first);
  fail(ErrorKind::usage, "{}: there is no axis and no config value \"{}\"{}", run.folder.string(), axis, suggestion(axis, known));
}

}  // namespace lp

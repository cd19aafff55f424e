// What a config says of itself, and how it is resolved: top level, phases, assignments.
#include "lptrain/train/config.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "lptrain/train/adaptive.h"
#include "lptrain/train/incremental.h"
#include "lptrain/train/pruning.h"

namespace lp {
namespace {

bool is_phase_key(const std::string& key) {
  static const std::vector<std::string> keys = write(PhaseSpec{}).keys();
  return std::ranges::find(keys, key) != keys.end();
}

// The top level as a phase sees it: without what only the run has.
Document phase_defaults(const Document& top) {
  Document d = top;
  for (const std::string& key : top.keys())
    if (key == "name" || !is_phase_key(key)) d.erase(key);
  return d;
}

// "phases" is absent, or a list of objects.
void check_phases(const Document& document) {
  if (!document.has("phases")) return;
  bool is_right = document.is_list("phases") && document.size("phases") > 0;
  for (size_t i = 0; is_right && i < document.size("phases"); ++i) is_right = document.is_object(fmt::format("phases.{}", i));
  if (!is_right) throw DocumentError({{document.origin("phases"), "phases", "phases must be a list of one or more objects", 0}});
}

std::vector<PhaseSpec> read_phases(const Document& document) {
  std::vector<PhaseSpec> phases;
  const size_t count = document.has("phases") ? document.size("phases") : 0;
  for (size_t i = 0; i < std::max<size_t>(count, 1); ++i) {
    Document d = phase_defaults(document);
    if (count > 0) d.merge(document.at(fmt::format("phases.{}", i)));
    read(d, phases.emplace_back());
    if (phases.back().name.empty()) phases.back().name = fmt::format("phase {}", i + 1);
  }
  return phases;
}

// The top level as written anew, with the phases as they were written: what they leave out stays with the top level.
Document with_phases(Document top, const Document& source) {
  if (source.has("phases")) top.merge(Document::parse("{\"phases\": " + source.at("phases").dump() + "}", "phases"));
  return top;
}

// Formats that f32 arithmetic cannot tell apart, with their places.
struct WideFormats {
  const RunConfig& config;
  std::vector<Problem> problems = {};

  void look(size_t phase, const Format& f, const std::string& path) {
    if (f != kF64 && !f.needs_f64()) return;
    const std::string origin = config.origin(phase, path);
    const auto is_told = [&](const Problem& p) { return p.origin == origin && p.path == path; };
    if (std::ranges::none_of(problems, is_told))
      problems.push_back(
          {origin, path, fmt::format("{}: {} holds numbers that f32 cannot; set \"compute\": \"f64\"", path, f.name()), 0});
  }
  void look(size_t phase, const Precision& precision) {
    for (size_t i = 0; i < kRoles; ++i) {
      const std::string_view role = Words<Role>::list[i];
      look(phase, precision.roles[i].format, fmt::format("precision.{}", role));
      for (const auto& [layers, rule] : precision.overrides) {
        const std::string path = fmt::format("precision.overrides.\"{}\"", layers);
        if (rule.roles[i]) look(phase, rule.roles[i]->format, fmt::format("{}.{}", path, role));
        if (rule.both) look(phase, rule.both->format, path);
      }
    }
  }
};

void check_needs_f64(const RunConfig& config) {
  if (config.compute == Compute::f64) return;
  WideFormats wide{config};
  for (size_t i = 0; i < config.phases.size(); ++i) wide.look(i, config.phases[i].precision);
  if (!wide.problems.empty()) throw DocumentError(wide.problems);
}

// What an error of a model is about: the path that its message begins with, or the layer.
std::string path_of(const std::string& message) {
  if (!message.starts_with("layer ")) return message.substr(0, message.find(':'));
  return fmt::format("model.layers.{}", std::atoi(message.c_str() + std::strlen("layer ")) - 1);
}

// A complaint of a model ("precision.accumulator: ..."), with the place where the phase has what it is about.
[[noreturn]] void tell_place(const RunConfig& config, size_t phase, const Error& e) {
  const std::string message = e.what(), path = path_of(message);
  constexpr std::string_view kTold[] = {"distill.", "model.layers.", "precision.", "prune.", "trainable."};
  if (e.kind != ErrorKind::usage || std::ranges::none_of(kTold, [&](auto start) { return path.starts_with(start); })) throw e;
  throw DocumentError({{config.origin(phase, path), path, message, 0}});
}

}  // namespace

void TrainSpec::fields(Fields& f) {
  f("epochs", epochs, "passes over the training split", {0, 1e6});
  f("batch", batch, "examples a step", {1, 1e6});
  f("optimizer", optimizer, "how gradients move the weights");
  f("schedule", schedule, "how the learning rate changes over the phase");
  f("warmup", warmup, "epochs over which the learning rate grows linearly from 0", {0, 1e6});
  f("loss", loss, "what is minimized");
  f("loss_scale", loss_scale, "factor on the loss before backward, so that small gradients survive narrow formats");
  f("clip_norm", clip_norm, "largest Euclidean norm of all gradients together", {1e-30, 1e30});
  f("clip_value", clip_value, "largest magnitude of any gradient", {1e-30, 1e30});
  f("clip_weights", clip_weights,
    "after each step, weights whose quantizer has a fixed scale are held within this share of its grid (BinaryConnect: 1)",
    {1e-30, 1e30});
  f("clamp", clamp, "after each step, weights and biases are held within this magnitude, before they become master copies",
    {1e-30, 1e30});
  f("seed", seed, "of everything random but the validation split", {0, 1e15});
  f("eval_batch", eval_batch, "examples at a time in evaluation", {1, 1e6});
}

void AdaRoundSpec::fields(Fields& f) {
  f("steps", steps, "of Adam for each layer", {1, 1e6});
  f("lr", lr, "of Adam", {1e-9, 10});
  f("regularization", regularization, "weight of the term that drives every weight to a neighbour", {0, 1e6});
}

void PtqSpec::fields(Fields& f) {
  f("calibrate", calibrate, "training examples that scales are measured on", {1, 1e6});
  f("correct_bias", correct_bias, "take the mean error of each layer's output out of its bias (Nagel et al. 2019)");
  f("adaround", adaround, "learn which way each weight is rounded; {} for the defaults (Nagel et al. 2020)");
}

void HintSpec::fields(Fields& f) {
  f("layer", layer, "of the student, with weights: what it hands on to the layer behind it");
  f("of", of, "the teacher's layer; left out: the one of the same name");
  f("weight", weight, "of the squared difference of similarities in the loss", {0, 1e6});
  f.claim(!layer.empty(), "a hint needs a \"layer\" of the student");
}

void DistillSpec::fields(Fields& f) {
  f("teacher", teacher, "run folder or weights file; or a config (*.json), which is trained first, on the same data");
  f("temperature", temperature, "that the scores of both are divided by: high ones tell more of the wrong classes", {0.01, 1000});
  f("alpha", alpha, "the teacher's share of the loss; the labels have the rest", {0, 1});
  f("hints", hints, "layers of the student that learn which examples are alike from layers of the teacher (Tung & Mori 2019)");
  f.claim(!teacher.empty(), "\"distill\" needs a \"teacher\": a run folder, a weights file or a config");
}

void AdaptiveSpec::fields(Fields& f) {
  f("target_accuracy", target_accuracy, "of validation, that is to be held", {0, 1});
  f("per", per, "lower all weights alike, or then also layer by layer");
  f("start", start, "bits to begin with", {1, 16});
  f("lowest", lowest, "bits to end with at the latest; 1 is binary", {1, 16});
  f("patience", patience, "epochs that fewer bits have to reach the target", {1, 1e6});
  f.claim(lowest <= start, fmt::format("\"lowest\" is {}, above \"start\", {}", lowest, start));
}

void IncrementalSpec::fields(Fields& f) {
  f("share", share, "of each layer's weights that is put on the grid and stays there", {0, 1});
  f("by", by, "the largest first, or any (those of the phase before stay among them)");
}

void Stage::fields(Fields& f) {
  f("precision", precision, "which numbers are narrow: role -> quantizer");
  f("train", train, "how the weights are moved");
  f("trainable", trainable, "layer name patterns (* and ?) of what moves; other layers keep their parameters", {1, 1e6});
  f("distill", distill, "learn from a trained network, too (Hinton et al. 2015)");
  f("adaptive", adaptive, "lower the bits of weights while accuracy holds; \"epochs\" is the most that it may take");
  f("incremental", incremental, "put a share of the weights on their grid for good, train the others (INQ, Zhou et al. 2017)");
  f("prune", prune, "which weights go, when, and what becomes of the others; those that went in earlier phases stay gone");
  const Quantizer& weights = precision.roles[static_cast<size_t>(Role::weights)];
  f.claim(!adaptive || is_adaptable(weights),
          fmt::format("\"adaptive\" lowers the bits of integer weights (int8, uint8 ...), found {}", weights.format.name()));
  f.claim(!incremental || weights.is_identity() || keeps_grid(weights),
          "\"incremental\" needs a grid that stays where it is: the scale widest or fixed");
  f.claim(!(adaptive && incremental), "\"adaptive\" and \"incremental\" both move the grid: choose one");
}

void PhaseSpec::fields(Fields& f) {
  f("name", name, "of the phase");
  Stage::fields(f);
  f("keep", keep, "go on with the optimizer's state of the phase before");
}

void RunConfig::fields(Fields& f) {
  f("name", name, "of the run; its folder is runs/<name>-<time>");
  f("description", description, "what it shows, for people");
  f("expected", expected, "what it reaches, for people");
  f("model", model, "a name in models/, or the model itself");
  f("dataset", dataset, "a name in datasets/, or where files are");
  f("compute", compute, "type of all arithmetic that is not narrowed; integer: there is none, and what would be is an error");
  f("init_from", init_from, "run folder or weights file to start from");
  f("rewrite", rewrite, "what is done to the network that init_from holds, in order, before the first phase; its model is used");
  f.claim(rewrite.empty() || !init_from.empty(), "\"rewrite\" needs \"init_from\": the trained network");
  f("ptq", ptq, "post-training quantization of what init_from holds, before the first phase; its model is used");
  f.claim(!ptq || !init_from.empty(), "\"ptq\" needs \"init_from\": the trained network that is to be quantized");
  Stage::fields(f);
  f("numerics", numerics, "count overflow, underflow and lost updates by layer and role, for `lptrain numerics`");
}

std::string RunConfig::origin(size_t phase, const std::string& path) const {
  const std::string own = fmt::format("phases.{}.{}", phase, path);
  std::string known = source.has(own) ? own : path;
  while (!known.empty() && !source.has(known)) known.resize(known.find('.') == known.npos ? 0 : known.rfind('.'));
  return source.origin(known);
}

Model made_model(const RunConfig& config, const PhaseSpec& phase, const Shape& input, int64_t classes) {
  size_t at = static_cast<size_t>(&phase - config.phases.data());
  try {
    Model model(config.model, input, classes, phase.precision, config.dtype(), Key(phase.train.seed).with("init"));
    for (at = 0; at < config.phases.size(); ++at) {
      config.phases[at].precision.check(model.layers());
      check_pruning(config, config.phases[at], model);
      model.set_trainable(config.phases[at].trainable);
      if (config.phases[at].distill) check_hints(*config.phases[at].distill, model);
    }
    model.set_trainable(phase.trainable);
    return model;
  } catch (const Error& e) {
    tell_place(config, at, e);
  }
}

RunConfig read_config(Document document, std::span<const std::string> assignments) {
  require(!document.has("vary") && !document.has("base"), "this is a sweep, not a run: use `lptrain sweep`");
  for (const std::string& assignment : assignments) {
    document.set(assignment);
    refuse_hidden(document, assignment.substr(0, assignment.find('=')), "--set " + assignment);
  }
  check_phases(document);
  RunConfig config;
  Document top = document;
  top.erase("phases");
  read(top, config);
  config.phases = read_phases(document);
  config.document = with_phases(write(config), document);
  config.source = std::move(document);
  check_needs_f64(config);
  return config;
}

void refuse_hidden(const Document& document, const std::string& path, const std::string& what) {
  const size_t layers = document.is_list("model.layers") ? document.size("model.layers") : 0;
  require(path != "model.layers" || layers > 0,
          "{}: without layers a model is the one that is named; set \"model\" to another name, or give the layers", what);
  require(path != "model.name" || layers == 0,
          "{}: the layers stand in this config, so that a name finds no others; set \"model\" instead", what);
  const size_t count = document.has("phases") ? document.size("phases") : 0;
  for (size_t i = 0; i < count; ++i)
    if (!document.has(fmt::format("phases.{}.{}", i, path))) return;
  require(count == 0, "{}: every phase sets \"{}\" for itself; set phases.0.{} and so on instead", what, path, path);
}

RunConfig config_through(const RunConfig& config, size_t phase, const Precision& precision) {
  RunConfig own = config;
  own.phases.resize(phase + 1);
  own.phases.back().precision = precision;
  if (!config.document.has("phases")) {
    own.precision = precision;
    own.document.set("precision", write(precision).dump(0), "run");
    return own;
  }
  Document last = config.document.at(fmt::format("phases.{}", phase));
  last.set("precision", write(precision).dump(0), "run");
  std::string list;
  for (size_t i = 0; i < phase; ++i) list += config.document.at(fmt::format("phases.{}", i)).dump(0) + ", ";
  own.document.set("phases", fmt::format("[{}{}]", list, last.dump(0)), "run");
  return own;
}

Document compact(const RunConfig& config) { return with_phases(write(config, true), config.document); }

RunConfig load_config(const std::filesystem::path& file, std::span<const std::string> assignments) {
  return read_config(Document::load(file), assignments);
}

}  // namespace lp

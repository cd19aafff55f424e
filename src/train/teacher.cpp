// Finding, checking and asking teachers.
#include "lptrain/train/teacher.h"

#include <algorithm>

#include "lptrain/base/places.h"
#include "lptrain/base/text.h"
#include "lptrain/train/checkpoint.h"
#include "lptrain/train/run.h"

namespace lp {
namespace fs = std::filesystem;
namespace {

const std::string& name_of(const RunConfig& config, size_t phase) { return config.phases[phase].distill->teacher; }

[[noreturn]] void refuse(const RunConfig& config, size_t phase, const std::string& why) {
  throw DocumentError({{config.origin(phase, "distill.teacher"), "distill.teacher", "distill.teacher: " + why, 0}});
}

// A teacher's config: as named, else among those that came with the program ("configs/examples/transfer/teacher.json").
fs::path config_file(const std::string& name) {
  std::error_code error;
  if (!fs::exists(name, error))
    for (const fs::path& folder : places("configs"))
      if (fs::path file = folder.parent_path() / name; fs::exists(file, error)) return file;
  return name;
}

void check_teacher(const RunConfig& config, size_t phase) {
  const std::string& name = name_of(config, phase);
  std::error_code error;
  const bool is_there =
      fs::exists(is_made_here(*config.phases[phase].distill) ? config_file(name) : weights_file(name, false), error);
  if (!is_there)
    refuse(
        config, phase,
        fmt::format("there is no {}; train it first, say with `lptrain train CONFIG.json --out {}`, or name its config, which is "
                    "then trained within this run",
                    name, name));
  if (is_made_here(*config.phases[phase].distill)) (void)teacher_config(config, phase);
}

void check_layer(const Model& model, const std::string& layer, const std::string& whose) {
  const std::vector<std::string>& known = model.layers();
  if (std::ranges::find(known, layer) == known.end())
    fail(ErrorKind::usage, "{} has no layer with weights \"{}\"; it has {}", whose, layer, join(known, ", "));
}

// What a network is fed is the same: the data set, its size and its normalization.
std::string input_of(const DatasetSpec& spec) {
  DatasetSpec same = spec;
  same.augment.clear();
  same.validation = DatasetSpec{}.validation;
  same.split_seed = DatasetSpec{}.split_seed;
  same.limit.reset();
  return write(same).dump(0);
}

}  // namespace

bool is_made_here(const DistillSpec& spec) { return spec.teacher.ends_with(".json"); }

fs::path teacher_path(const RunConfig& config, size_t phase, const fs::path& run) {
  if (!is_made_here(*config.phases[phase].distill)) return name_of(config, phase);
  size_t first = 0;
  while (!config.phases[first].distill || name_of(config, first) != name_of(config, phase)) ++first;
  return run / fmt::format("teacher-{}", first + 1);
}

RunConfig teacher_config(const RunConfig& config, size_t phase) {
  Document d = Document::load(config_file(name_of(config, phase)));
  d.set("dataset", write(config.dataset).dump(0), "the student's data");
  RunConfig teacher = read_config(std::move(d));
  for (const PhaseSpec& p : teacher.phases)
    if (p.distill)
      refuse(config, phase, fmt::format("{} has a teacher of its own; train it first, and name its run", name_of(config, phase)));
  return teacher;
}

void check_teachers(const RunConfig& config) {
  for (size_t i = 0; i < config.phases.size(); ++i)
    if (config.phases[i].distill) check_teacher(config, i);
}

void check_hints(const DistillSpec& spec, const Model& student) {
  for (size_t i = 0; i < spec.hints.size(); ++i)
    check_layer(student, spec.hints[i].layer, fmt::format("distill.hints.{}.layer: the student", i));
}

std::unique_ptr<Model> load_teacher(const fs::path& run_or_file, const RunConfig& student, size_t at, const Dataset& data) {
  const fs::path file = weights_file(run_or_file, false);
  const TensorFile weights = read_tensors(file);
  const RunConfig own = config_in(weights, file);
  if (input_of(own.dataset) != input_of(student.dataset))
    fail(ErrorKind::data, "{}: this teacher was fed {}, but the student is fed {}; train it on the same data", file.string(),
         input_of(own.dataset), input_of(student.dataset));
  const PhaseSpec& phase = own.phases.back();
  auto teacher = std::make_unique<Model>(own.model, data.shape, std::ssize(data.classes), phase.precision, own.dtype(), Key(0));
  load_weights(weights, file.string(), *teacher);
  for (const HintSpec& hint : student.phases[at].distill->hints) check_layer(*teacher, hint.teachers(), file.string());
  return teacher;
}

Heard forward(Model& model, Context& context, const Tensor& x, std::span<const std::string> layers) {
  Heard heard{{}, std::vector<Var>(layers.size())};
  if (!layers.empty())
    context.listen([&](const std::string& layer, const Var& y) {
      for (size_t i = 0; i < layers.size(); ++i)
        if (layers[i] == layer) heard.layers[i] = y;
    });
  heard.scores = model.forward(context, x);
  context.listen({});
  return heard;
}

Lesson lesson(Model& teacher, const DistillSpec& spec, const Tensor& x) {
  std::vector<std::string> layers;
  for (const HintSpec& hint : spec.hints) layers.push_back(hint.teachers());
  Context eye(nullptr, Mode::eval);
  const Heard heard = forward(teacher, eye, x, layers);
  Lesson lesson{heard.scores.tensor(), {}};
  for (const Var& y : heard.layers) lesson.hints.push_back(y.tensor());
  return lesson;
}

Var taught_loss(const DistillSpec& spec, const Var& loss, const Heard& student, const Lesson& lesson) {
  Var all = add(scale(loss, 1 - spec.alpha), scale(distillation(student.scores, lesson.scores, spec.temperature), spec.alpha));
  for (size_t i = 0; i < spec.hints.size(); ++i)
    all = add(all, scale(similarity(student.layers[i], lesson.hints[i]), spec.hints[i].weight));
  return all;
}

}  // namespace lp

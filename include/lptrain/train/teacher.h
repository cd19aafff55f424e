// Trained networks that others learn from.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lptrain/train/config.h"

namespace lp {

// Where the teacher of a phase is: the run folder or weights file that its config names, or, if it names a config (*.json), the
// run folder "teacher-<number of the first phase that names it>" within the student's.
std::filesystem::path teacher_path(const RunConfig& config, size_t phase, const std::filesystem::path& run);
bool is_made_here(const DistillSpec& spec);
// The config of a teacher that is made here: as its file says, on the student's data. The file: as named, else among those that
// came with the program ("configs/examples/transfer/teacher.json" from anywhere).
RunConfig teacher_config(const RunConfig& config, size_t phase);

// Before a run begins: all teachers are there, or can be made. Throws DocumentError with the place of "teacher", and what to
// type.
void check_teachers(const RunConfig& config);

// A teacher of a phase with the weights that validation selected. Throws Error(data) if it was made for other data than the
// student's, Error(usage) if it has no such layer as a hint names.
std::unique_ptr<Model> load_teacher(const std::filesystem::path& run_or_file, const RunConfig& student, size_t phase,
                                    const Dataset& data);
// Every hint names a layer of the student. Throws Error(usage); its message begins with "distill.hints.<number>.layer: ".
void check_hints(const DistillSpec& spec, const Model& student);

// A pass that also keeps what some layers hand on, in the order of their names.
struct Heard {
  Var scores;
  std::vector<Var> layers;
};
Heard forward(Model& model, Context& context, const Tensor& x, std::span<const std::string> layers);

// What a teacher says of a batch, in evaluation mode.
struct Lesson {
  Tensor scores;
  std::vector<Tensor> hints;  // of the layers that hints name, in their order
};
Lesson lesson(Model& teacher, const DistillSpec& spec, const Tensor& x);

// The loss of a student that has heard its teacher:
//   (1 - alpha) loss + alpha distillation + sum over hints of weight x similarity
Var taught_loss(const DistillSpec& spec, const Var& loss, const Heard& student, const Lesson& lesson);

}  // namespace lp

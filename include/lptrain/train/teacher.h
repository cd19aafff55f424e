// Trained networks that others learn from.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

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

// A teacher with the weights that validation selected. Throws Error(data) if it was made for other data than the student's.
std::unique_ptr<Model> load_teacher(const std::filesystem::path& run_or_file, const RunConfig& student, const Dataset& data);

// Its scores of a batch, in evaluation mode.
Tensor scores_of(Model& teacher, const Tensor& x);

}  // namespace lp

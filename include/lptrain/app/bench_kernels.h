// What `lptrain bench kernels` times: every row of every kernel table, on the shapes that the training tasks are made of.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/kernel/ceiling.h"

namespace lp {

// One row on one shape.
struct KernelLine {
  std::string family, row, shape, types;  // "conv2d dw", "onednn", "64x28x28x32 -> 64, 3x3", "u8 i8"
  double rate = 0, ceiling = 0;           // operations or bytes a second, the fastest call; and what the machine can do
  std::string unit;                       // "op/s" of products, "B/s" of passes over memory
  double share() const { return ceiling > 0 ? rate / ceiling : 0; }
  void fields(Fields& f);
};

// The yardsticks, measured first.
struct MachineCeilings {
  std::vector<Ceiling> operations;
  double copy_bytes_per_second = 0;
};
MachineCeilings measure_machine(double seconds);

std::vector<std::string> kernel_families();  // what may be asked for, in the order of the tables

// Times the rows of the families named (all, if none is), each for `seconds` and at least two calls, and hands every line to
// `told`. Products have the shapes of the tasks' layers, forward and backward, in each arithmetic; rows that refuse a shape are
// left out, and so is the scalar reference where it would take seconds. Passes run over the largest activation of the tasks, on
// every instruction set that is allowed.
void bench_kernels(const std::vector<std::string>& families, double seconds, const MachineCeilings& machine,
                   const std::function<void(const KernelLine&)>& told);

}  // namespace lp

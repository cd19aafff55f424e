// What this machine can do at most, measured: the yardstick of every kernel.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "lptrain/kernel/cpu.h"

namespace lp {

// Multiplications and additions a second of one kind of arithmetic, from registers alone, on all threads that loops use.
struct Ceiling {
  std::string_view arithmetic;  // "f64", "f32", "bf16" (pairs into f32), "i8" (fours into i32), "bits" (into counts)
  Isa isa;
  double operations_per_second = 0;
};

// Of every instruction set that is allowed and has a loop of its own: the best of several loops over `seconds` each.
std::vector<Ceiling> measure_ceilings(double seconds);

// The highest of an arithmetic among instruction sets up to `isa`; of f32 if it has no loop of its own there.
double operations_ceiling(const std::vector<Ceiling>& ceilings, std::string_view arithmetic, Isa isa);

// Bytes read and written a second while an array of so many bytes is copied to another, on all threads: the best of several.
double copy_ceiling(int64_t bytes, double seconds);

}  // namespace lp

// Small generated data sets: points in the plane, a table, and pictures of two shapes. The same on every machine.
#pragma once
#include <cstdint>
#include <string_view>

#include "lptrain/base/fields.h"
#include "lptrain/base/random.h"
#include "lptrain/data/examples.h"

namespace lp {

enum class Plane { spirals, rings, moons };
template <>
struct Words<Plane> {
  static constexpr std::string_view list[] = {"spirals", "rings", "moons"};
};

// f32 [count, 2] with labels 0/1 in turn, coordinates about -1..1, plus normal noise of the given deviation.
//   spirals: two arms of 1.5 turns; rings: radius 0.4 and 0.9; moons: two interlocking half circles
Examples plane_examples(Plane plane, int64_t count, float noise, Key key);

// f32 [count, 8] of a machine's measurements in their own units and a label, will it fail, that depends on them nonlinearly;
// about 6 % of labels are noise.
Examples machine_examples(int64_t count, Key key);
std::vector<std::string> machine_columns();

// u8 [count, 24, 24, 3]: a cross (0) or a circle (1) of random colour, size, place and angle on a random ground.
Examples shape_examples(int64_t count, Key key);

}  // namespace lp

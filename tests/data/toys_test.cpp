// Generated points, tables and shapes: frozen, balanced, learnable.
#include "lptrain/data/toys.h"

#include <cmath>

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string digest(const Examples& e) {
  return sha256({static_cast<const char*>(e.inputs.raw()), static_cast<size_t>(e.inputs.bytes())});
}

}  // namespace

TEST_CASE("the bytes are frozen") {
  CHECK(digest(plane_examples(Plane::spirals, 500, 0.03f, Key(1))) ==
        "5daace8fad082d61721c9c3a619a349a76b483e2a5a52df5a51fd52b78833b51");
  CHECK(digest(plane_examples(Plane::rings, 500, 0.08f, Key(1))) ==
        "8605d7080e568f2d1a1c62ca58cdddb6faeaec32f545536c7768d39f397a4a71");
  CHECK(digest(plane_examples(Plane::moons, 500, 0.08f, Key(1))) ==
        "273ab08186b3bac8f15843471976a240f9ec943cb7dd160e2326b85fbd69271e");
  CHECK(digest(machine_examples(500, Key(1))) == "761a37b1e3e22db6529eb2c24328876f2343d909a894c8bbb4f68ab7266dc74c");
  CHECK(digest(shape_examples(100, Key(1))) == "8eb973b9f5f63fd1518b357bc1737e64b9e8abd8e4adebd8c3f813294692948a");
}

TEST_CASE("points lie where the formulas say") {
  const Examples rings = plane_examples(Plane::rings, 400, 0, Key(3)), spirals = plane_examples(Plane::spirals, 400, 0, Key(3));
  const auto r = rings.inputs.data<float>(), s = spirals.inputs.data<float>();
  for (size_t i = 0; i < 400; ++i) {
    CHECK(std::hypot(r[2 * i], r[2 * i + 1]) == doctest::Approx(rings.labels[i] == 0 ? 0.4 : 0.9).epsilon(1e-4));
    const double radius = std::hypot(s[2 * i], s[2 * i + 1]), turns = 1.5 * radius + 0.5 * spirals.labels[i];
    CHECK(s[2 * i] == doctest::Approx(radius * std::cos(2 * M_PI * turns)).epsilon(1e-3));
  }
}

TEST_CASE("classes are balanced, columns named") {
  const Examples machine = machine_examples(4000, Key(2));
  const double fails = static_cast<double>(std::count(machine.labels.begin(), machine.labels.end(), 1)) / 4000;
  CHECK(fails > 0.35);
  CHECK(fails < 0.65);
  CHECK(machine_columns().size() == static_cast<size_t>(machine.inputs.shape()[1]));
  for (float v : machine.inputs.data<float>()) CHECK(std::isfinite(v));
}

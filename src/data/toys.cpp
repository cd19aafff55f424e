// Generators of points and tables.
#include "lptrain/data/toys.h"

#include "lptrain/base/parallel.h"
#include "lptrain/data/exact.h"

namespace lp {
namespace {

struct Spot {
  float x, y;
};

Spot spiral(int label, Dice& dice) {
  const float t = std::sqrt(dice.uniform()), turns = 1.5f * t + 0.5f * static_cast<float>(label);
  return {t * exact_cos(turns), t * exact_sin(turns)};
}

Spot ring(int label, Dice& dice) {
  const float radius = label == 0 ? 0.4f : 0.9f, turns = dice.uniform();
  return {radius * exact_cos(turns), radius * exact_sin(turns)};
}

Spot moon(int label, Dice& dice) {
  const float turns = 0.5f * dice.uniform(), x = 0.6f * exact_cos(turns), y = 0.6f * exact_sin(turns);
  return label == 0 ? Spot{x - 0.3f, y - 0.15f} : Spot{0.3f - x, 0.15f - y};
}

constexpr Spot (*kPlanes[])(int, Dice&) = {spiral, ring, moon};  // in the order of Plane

}  // namespace

Examples plane_examples(Plane plane, int64_t count, float noise, Key key) {
  Examples examples{Tensor({count, 2}), {}};
  std::span<float> x = examples.inputs.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    Dice dice(key.with(static_cast<uint64_t>(i)));
    const int label = static_cast<int>(i % 2);
    const Spot spot = kPlanes[static_cast<size_t>(plane)](label, dice);
    x[static_cast<size_t>(2 * i)] = spot.x + noise * dice.normal();
    x[static_cast<size_t>(2 * i + 1)] = spot.y + noise * dice.normal();
    examples.labels.push_back(label);
  }
  return examples;
}

std::vector<std::string> machine_columns() {
  return {"temperature", "humidity", "pressure", "vibration", "current", "speed", "load", "age"};
}

// A machine that is watched: hot, shaken or old and loaded, it fails.
Examples machine_examples(int64_t count, Key key) {
  constexpr int64_t kColumns = 8;
  Examples examples{Tensor({count, kColumns}), {}};
  std::span<float> left = examples.inputs.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    Dice dice(key.with(static_cast<uint64_t>(i)));
    const float load = dice.normal(), wear = dice.normal(), speed = dice.normal();
    const float heat = 0.6f * load + 0.3f * speed + 0.7f * dice.normal(),
                shake = 0.5f * wear + 0.4f * speed * speed + 0.6f * dice.normal();
    const float current = 0.8f * load + 0.2f * heat + 0.4f * dice.normal();
    const float risk = heat * shake + 0.9f * wear * load + 0.5f * heat + 0.7f * shake - 0.35f;
    const float row[kColumns] = {60 + 8 * heat,    45 + 12 * dice.normal(), 1013 + 7 * dice.normal(), 2 + 0.5f * shake,
                                 12 + 3 * current, 1500 + 120 * speed,      50 + 15 * load,           4 + 1.2f * wear};
    for (float v : row) {
      left[0] = v;
      left = left.subspan(1);
    }
    examples.labels.push_back((risk > 0) != dice.chance(0.06f));
  }
  return examples;
}

}  // namespace lp

// Crosses and circles, drawn with the same pen as the digits.
#include <algorithm>
#include <cmath>

#include "lptrain/base/parallel.h"
#include "lptrain/data/exact.h"
#include "lptrain/data/pen.h"
#include "lptrain/data/toys.h"

namespace lp {
namespace {

constexpr int kSide = 24;

void draw_cross(Canvas& canvas, float x, float y, float size, float radius, float turn) {
  for (float arm : {turn, turn + 0.25f}) {
    const float dx = size * exact_cos(arm), dy = size * exact_sin(arm);
    const Dot dots[] = {{x - dx, y - dy, radius}, {x + dx, y + dy, radius}};
    canvas.line(dots, 1, 1.2f);
  }
}

void draw_circle(Canvas& canvas, float x, float y, float size, float radius, float squash) {
  std::vector<Dot> dots;
  for (int k = 0; k <= 24; ++k) {
    const float turn = static_cast<float>(k) / 24;
    dots.push_back({x + size * exact_cos(turn), y + squash * size * exact_sin(turn), radius});
  }
  canvas.line(dots, 1, 1.2f);
}

struct Colour {
  float r, g, b;
};
Colour any_colour(Dice& dice, float low, float high) {
  return {dice.uniform(low, high), dice.uniform(low, high), dice.uniform(low, high)};
}

void draw_shape(int label, Key key, std::span<uint8_t> pixels) {
  Dice dice(key);
  Canvas canvas(kSide, kSide);
  const float size = dice.uniform(4, 8.5f), radius = dice.uniform(0.7f, 1.8f);
  const float x = dice.uniform(size + 1, kSide - 2 - size), y = dice.uniform(size + 1, kSide - 2 - size);
  if (label == 0)
    draw_cross(canvas, x, y, size, radius, dice.uniform());
  else
    draw_circle(canvas, x, y, size, radius, dice.uniform(0.7f, 1));
  const bool bright = dice.chance(0.5f);
  const Colour ink = bright ? any_colour(dice, 0.5f, 1) : any_colour(dice, 0, 0.45f);
  const Colour ground = bright ? any_colour(dice, 0, 0.45f) : any_colour(dice, 0.5f, 1);
  const float noise = dice.uniform(0.02f, 0.12f);
  for (size_t i = 0; i < canvas.ink().size(); ++i) {
    const float a = canvas.ink()[i];
    const float rgb[] = {ground.r + a * (ink.r - ground.r), ground.g + a * (ink.g - ground.g), ground.b + a * (ink.b - ground.b)};
    for (size_t c = 0; c < 3; ++c)
      pixels[3 * i + c] = static_cast<uint8_t>(std::floor(std::clamp(rgb[c] + noise * dice.normal(), 0.f, 1.f) * 255 + 0.5f));
  }
}

}  // namespace

Examples shape_examples(int64_t count, Key key) {
  constexpr size_t kBytes = kSide * kSide * 3;
  Examples examples{Tensor({count, kSide, kSide, 3}, DType::u8), {}};
  const std::span<uint8_t> pixels = examples.inputs.data<uint8_t>();
  for (int64_t i = 0; i < count; ++i) examples.labels.push_back(static_cast<int32_t>(i % 2));
  parallel_for(count, 32, [&](int64_t i) {
    draw_shape(static_cast<int>(i % 2), key.with(static_cast<uint64_t>(i)),
               pixels.subspan(static_cast<size_t>(i) * kBytes, kBytes));
  });
  return examples;
}

}  // namespace lp

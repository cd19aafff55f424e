// Draws digits: jittered glyphs under a random hand, pen and paper.
#include "lptrain/data/digits.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/parallel.h"
#include "lptrain/data/exact.h"
#include "lptrain/data/pen.h"

namespace lp {
namespace {

// How one writer holds the pen: from the unit square of a glyph to pixels.
struct Hand {
  float height, aspect, slant, sine, cosine, shift_x, shift_y;
  float bend[4], phase[4];  // a slow wave across the paper: amplitudes in pixels, phases in turns

  explicit Hand(Dice& dice) {
    height = std::clamp(18.6f + 1.7f * dice.normal(), 13.f, 22.f);
    aspect = std::clamp(0.70f + 0.11f * dice.normal(), 0.5f, 1.0f);
    slant = 0.12f + 0.16f * dice.normal();
    const float turn = 0.022f * dice.normal();
    sine = exact_sin(turn);
    cosine = exact_cos(turn);
    shift_x = 1.3f * dice.normal();
    shift_y = 1.3f * dice.normal();
    for (float& b : bend) b = 0.62f * dice.normal();
    for (float& p : phase) p = dice.uniform();
  }

  Dot place(const PenPoint& p, float radius) const {
    const float u = ((p.x - 0.5f) * aspect + (0.5f - p.y) * slant) * height, v = (p.y - 0.5f) * height;
    const float x = cosine * u - sine * v, y = sine * u + cosine * v;
    const float wave = 1.f / 24;
    const float bx = bend[0] * exact_sin(y * wave + phase[0]) + bend[1] * exact_sin(x * wave + phase[1]);
    const float by = bend[2] * exact_sin(x * wave + phase[2]) + bend[3] * exact_sin(y * wave + phase[3]);
    return {13.5f + shift_x + x + bx, 13.5f + shift_y + y + by, radius};
  }
};

struct Pen {
  float radius, strength, softness, swell, swell_phase;
  explicit Pen(Dice& dice)
      : radius(std::clamp(1.15f + 0.35f * dice.normal(), 0.7f, 2.1f)),
        strength(dice.uniform(0.78f, 1)),
        softness(dice.uniform(0.8f, 1.5f)),
        swell(dice.uniform(0, 0.3f)),
        swell_phase(dice.uniform()) {}
};

void write(Canvas& canvas, const Glyph& glyph, const Hand& hand, const Pen& pen, Dice& dice) {
  for (Stroke stroke : glyph) {
    for (PenPoint& p : stroke) {
      p.x = p.x / 100 + 0.034f * dice.normal();
      p.y = p.y / 100 + 0.03f * dice.normal();
    }
    std::vector<Dot> dots;
    for (const PenPoint& p : curve_through(stroke, 5)) {
      const float along = static_cast<float>(dots.size()) * 0.025f;
      dots.push_back(hand.place(p, pen.radius * (1 + pen.swell * exact_sin(along + pen.swell_phase))));
    }
    canvas.line(dots, pen.strength, pen.softness);
  }
}

// A slip of the pen, or the edge of a neighbour: short, thin, near the border.
void stray_stroke(Canvas& canvas, Dice& dice) {
  const float side = dice.chance(0.5f) ? dice.uniform(0.5f, 5) : dice.uniform(22, 26.5f);
  const float along = dice.uniform(2, 25);
  const bool upright = dice.chance(0.5f);
  const Dot a{upright ? side : along, upright ? along : side, dice.uniform(0.4f, 0.9f)};
  const Dot dots[] = {a, {a.x + dice.uniform(-4, 4), a.y + dice.uniform(-4, 4), a.radius}};
  canvas.line(dots, dice.uniform(0.4f, 0.9f), 1);
}

}  // namespace

void draw_digit(int digit, Key key, std::span<uint8_t> pixels) {
  Dice dice(key);
  const std::span<const Glyph> glyphs = digit_glyphs(digit);
  const Glyph& glyph = glyphs[static_cast<size_t>(dice.below(static_cast<int64_t>(glyphs.size())))];
  const Hand hand(dice);
  const Pen pen(dice);
  Canvas canvas(kDigitSide, kDigitSide);
  write(canvas, glyph, hand, pen, dice);
  if (dice.chance(0.1f)) stray_stroke(canvas, dice);
  const float noise = dice.uniform(0, 0.08f), paper = dice.uniform(0, 0.05f);
  for (size_t i = 0; i < pixels.size(); ++i) {
    const float value = paper + (1 - paper) * canvas.ink()[i] + noise * dice.normal();
    pixels[i] = static_cast<uint8_t>(std::floor(std::clamp(value, 0.f, 1.f) * 255 + 0.5f));
  }
}

Examples digit_examples(int64_t count, Key key) {
  constexpr size_t kPixels = kDigitSide * kDigitSide;
  Examples examples{Tensor({count, kDigitSide, kDigitSide, 1}, DType::u8), {}};
  const std::span<uint8_t> pixels = examples.inputs.data<uint8_t>();
  for (int64_t i = 0; i < count; ++i) examples.labels.push_back(static_cast<int32_t>(i % 10));
  parallel_for(count, 32, [&](int64_t i) {
    draw_digit(static_cast<int>(i % 10), key.with(static_cast<uint64_t>(i)),
               pixels.subspan(static_cast<size_t>(i) * kPixels, kPixels));
  });
  return examples;
}

}  // namespace lp

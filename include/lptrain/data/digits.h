// `digits`: handwritten-looking digits drawn from strokes, the same on every machine, so that training needs no download.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "lptrain/base/random.h"
#include "lptrain/data/examples.h"

namespace lp {

inline constexpr int kDigitSide = 28;  // pixels; ink is bright on a dark ground, as in MNIST

// A point that a pen passes, in hundredths of a glyph's box (y down); at a corner it turns sharply, elsewhere smoothly.
struct PenPoint {
  float x, y;
  bool corner = false;
};
using Stroke = std::vector<PenPoint>;
using Glyph = std::vector<Stroke>;

// The ways in which one digit is commonly written.
std::span<const Glyph> digit_glyphs(int digit);

// Draws digit 0..9 into 28 x 28 bytes: a glyph with its points moved at random, slanted, scaled, turned, shifted and bent, drawn
// by a pen of random width, with blur, noise and at times a stray stroke. Everything follows from the key.
void draw_digit(int digit, Key key, std::span<uint8_t> pixels);

// u8 [count, 28, 28, 1]; example i shows digit i mod 10, drawn under key.with(i).
Examples digit_examples(int64_t count, Key key);

}  // namespace lp

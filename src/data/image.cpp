// The bilinear resize: one pass over rows, one over columns.
#include "lptrain/data/image.h"

#include <algorithm>
#include <cmath>

namespace lp {
namespace {

// How one output position along an axis is made of input positions.
struct Taps {
  int first;
  std::vector<float> weights;  // sum 1
};

std::vector<Taps> taps_of(int from, int to) {
  const double scale = static_cast<double>(from) / to, reach = std::max(scale, 1.0);
  std::vector<Taps> all;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale - 0.5;
    const int first = std::max(0, static_cast<int>(std::ceil(centre - reach))),
              last = std::min(from - 1, static_cast<int>(std::floor(centre + reach)));
    Taps taps{first, {}};
    double sum = 0;
    for (int k = first; k <= last; ++k) sum += std::max(0.0, 1 - std::abs(k - centre) / reach);
    for (int k = first; k <= last; ++k)
      taps.weights.push_back(static_cast<float>(std::max(0.0, 1 - std::abs(k - centre) / reach) / sum));
    all.push_back(std::move(taps));
  }
  return all;
}

// y[o, t, i] = sum_k taps[t].weights[k] x[o, first + k, i]
template <class From>
std::vector<float> weighted(const std::vector<From>& x, size_t outer, size_t length, size_t inner,
                            const std::vector<Taps>& taps) {
  std::vector<float> y(outer * taps.size() * inner, 0.f);
  for (size_t o = 0; o < outer; ++o)
    for (size_t t = 0; t < taps.size(); ++t)
      for (size_t k = 0; k < taps[t].weights.size(); ++k) {
        const From* row = x.data() + (o * length + static_cast<size_t>(taps[t].first) + k) * inner;
        for (size_t i = 0; i < inner; ++i)
          y[(o * taps.size() + t) * inner + i] += taps[t].weights[k] * static_cast<float>(row[i]);
      }
  return y;
}

}  // namespace

Image resize(const Image& image, int height, int width) {
  if (image.height == height && image.width == width) return image;
  const size_t h = static_cast<size_t>(image.height), w = static_cast<size_t>(image.width),
               c = static_cast<size_t>(image.channels);
  const std::vector<float> narrow = weighted(image.pixels, h, w, c, taps_of(image.width, width));
  const std::vector<float> small = weighted(narrow, 1, h, static_cast<size_t>(width) * c, taps_of(image.height, height));
  Image result{height, width, image.channels, std::vector<uint8_t>(small.size())};
  std::ranges::transform(small, result.pixels.begin(),
                         [](float v) { return static_cast<uint8_t>(std::clamp(v + 0.5f, 0.f, 255.f)); });
  return result;
}

}  // namespace lp

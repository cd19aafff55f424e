// Normalization: each kind's formula, on bytes and on tables.
#include "lptrain/data/normalize.h"

#include <cmath>
#include <limits>

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

const std::vector<int64_t> kRows = {0, 2};  // row 1 must not count

std::vector<float> applied(const Normalization& n, std::vector<float> raw) {
  n.apply(raw);
  return raw;
}

}  // namespace

TEST_CASE("statistics are those of the given rows, missing values left out") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor t = Tensor::of<float>({3, 2}, {1, 5, 100, 100, 3, nan});
  const ChannelStatistics s = measure(t, kRows);
  CHECK(s.mean == std::vector<double>{2, 5});
  CHECK(s.deviation == std::vector<double>{1, 0});
  CHECK(s.low == std::vector<double>{1, 5});
  CHECK(s.high == std::vector<double>{3, 5});
}

TEST_CASE("every kind, on pictures") {
  const Tensor t = Tensor::of<uint8_t>({3, 1, 1, 2}, {0, 51, 9, 9, 102, 51});
  Card card;
  card.name = "pair";
  card.mean = {0.2, 0.4};
  card.std = {0.1, 0.5};
  for (Normalize kind : {Normalize::unit, Normalize::card}) {
    const auto unit = applied(normalization_of(kind, card, t, kRows), {255, 51});
    CHECK(unit[0] == 1);
    CHECK(unit[1] == doctest::Approx(0.2));
  }
  CHECK(applied(normalization_of(Normalize::none, card, t, kRows), {255, 51}) == std::vector<float>{255, 51});
  const auto standard = applied(normalization_of(Normalize::standard, card, t, kRows), {51, 255});
  CHECK(standard[0] == doctest::Approx(0).scale(1));
  CHECK(standard[1] == doctest::Approx((1 - 0.4) / 0.5));
  const auto measured = applied(normalization_of(Normalize::measured, card, t, kRows), {102, 52});
  CHECK(measured[0] == doctest::Approx(1));  // mean 51, deviation 51
  CHECK(measured[1] == doctest::Approx(1));  // constant: only shifted
  card.mean = {};
  CHECK(contains(error_of(ErrorKind::usage, [&] { normalization_of(Normalize::standard, card, t, kRows); }),
                 "pair: the card has no mean"));
  card.mean = {0.5};
  CHECK(contains(error_of(ErrorKind::usage, [&] { normalization_of(Normalize::standard, card, t, kRows); }),
                 "1 means, but the data 2 channels"));
}

TEST_CASE("unit of a table is the training range") {
  const Tensor t = Tensor::of<float>({3, 2}, {-1, 7, 50, 50, 3, 7});
  CHECK(applied(normalization_of(Normalize::unit, {}, t, kRows), {-1, 7, 3, 8}) == std::vector<float>{0, 0, 1, 1});
}

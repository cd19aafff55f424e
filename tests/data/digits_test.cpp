// `digits` must be the same bytes everywhere, forever: results are only comparable if the data are.
#include "lptrain/data/digits.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/fixtures.h"
#include "lptrain/base/parallel.h"
#include "lptrain/data/exact.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string digest(const char* split) {
  const Tensor pixels = digit_examples(2000, Key(1).with(split)).inputs;
  return sha256({static_cast<const char*>(pixels.raw()), static_cast<size_t>(pixels.bytes())});
}

std::string_view bytes_of_tensor(const Tensor& t) { return {static_cast<const char*>(t.raw()), static_cast<size_t>(t.bytes())}; }

}  // namespace

TEST_CASE("the bytes are frozen") {
  CHECK(digest("train") == "b6afb1d1802d2e788decf12d1cda7bebe75ec1fae791e981252b9822649d5460");
  CHECK(digest("test") == "b57bb92d230f246a1cd7556ce470e4f39e70aaa7b564ab42fce8a7f9fe691403");
}

TEST_CASE("an example follows from its key and place alone") {
  const Examples few = digit_examples(40, Key(5)), many = digit_examples(400, Key(5));
  CHECK(bytes_of_tensor(few.inputs) == bytes_of_tensor(many.inputs).substr(0, 40 * 784));
  const int threads = thread_count();
  set_thread_count(1);
  CHECK(bytes_of_tensor(digit_examples(400, Key(5)).inputs) == bytes_of_tensor(many.inputs));
  set_thread_count(threads);
  CHECK(bytes_of_tensor(digit_examples(40, Key(6)).inputs) != bytes_of_tensor(few.inputs));
  for (size_t i = 0; i < 400; ++i) CHECK(many.labels[i] == static_cast<int32_t>(i % 10));
}

TEST_CASE("every picture has ink well inside its frame") {
  const Examples e = digit_examples(2000, Key(9));
  const auto pixels = std::as_const(e.inputs).data<uint8_t>();
  for (size_t n = 0; n < 2000; ++n) {
    const auto p = pixels.subspan(n * 784, 784);
    const auto ink = std::ranges::count_if(p, [](uint8_t v) { return v > 128; });
    CHECK(ink >= 12);
    CHECK(ink <= 400);
  }
}

TEST_CASE("exact_sin is a sine") {
  for (int i = -3000; i <= 3000; ++i) {
    const float t = static_cast<float>(i) / 777;
    CHECK(std::abs(exact_sin(t) - std::sin(t * 6.283185307179586)) < 4e-6);
    CHECK(std::abs(exact_cos(t) - std::cos(t * 6.283185307179586)) < 4e-6);
  }
}

TEST_CASE("dice: mean 0, deviation 1, within bounds") {
  Dice dice(Key(2));
  double sum = 0, square = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double v = dice.normal();
    CHECK(std::abs(v) < 3.47);
    sum += v;
    square += v * v;
  }
  CHECK(std::abs(sum / kDraws) < 0.016);  // five standard errors
  CHECK(std::abs(square / kDraws - 1) < 0.02);
}

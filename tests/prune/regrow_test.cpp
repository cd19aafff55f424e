// Exchanges: as many stay, the smallest go, the most wished for come.
#include "lptrain/prune/regrow.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/random_tensor.h"

using namespace lp;

TEST_CASE("by hand: two of four go, two come; ties in order; what goes does not come back at once") {
  const Tensor w = Tensor::of<float>({8}, {0.1, 5, -0.2, 4, 0, 0, 0, 0}), mask = Tensor::of<float>({8}, {1, 1, 1, 1, 0, 0, 0, 0});
  const Tensor wish = Tensor::of<float>({8}, {9, 9, 9, 9, 1, 3, 3, 3});
  CHECK(numbers_of(exchanged(w, mask, wish, 0.5)) == std::vector<double>{0, 1, 0, 1, 0, 1, 1, 0});
  CHECK(numbers_of(exchanged(w, mask, wish, 0.49)) == std::vector<double>{0, 1, 1, 1, 0, 1, 0, 0});
  CHECK(numbers_of(exchanged(w, mask, wish, 0)) == numbers_of(mask));
}

TEST_CASE("the number of weights that are left never changes, whatever the share") {
  const Tensor w = random_normal({30, 10}, Key(1)), wish = random_uniform({30, 10}, Key(2), 0, 1);
  for (const double dense : {0.0, 0.1, 0.6, 0.95, 1.0}) {
    const Tensor mask = tensor_of({30, 10}, DType::f32, [&](uint64_t i) { return Key(3).uniform64(i) < dense ? 1.0 : 0.0; });
    for (const double share : {0.0, 0.3, 1.0})
      CHECK(std::ranges::count(numbers_of(exchanged(w, mask, wish, share)), 1.0) == std::ranges::count(numbers_of(mask), 1.0));
  }
  CHECK_THROWS_AS(exchanged(w, Tensor::zeros({10, 30}), wish, 0.3), Error);
}

TEST_CASE("the share falls along half a cosine to nothing") {
  const Regrow r;
  CHECK(r.share_at(0) == doctest::Approx(0.3));
  CHECK(r.share_at(0.375) == doctest::Approx(0.15));
  CHECK(r.share_at(0.75) == 0);
  CHECK(r.share_at(1) == 0);
  Regrow never;
  never.until = 0;
  CHECK(never.share_at(0) == 0);
}

// Criteria: by hand, on a few numbers.
#include "lptrain/prune/criterion.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/document.h"
#include "lptrain/prune/mask.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

Choice<Criterion> criterion(const std::string& json) {
  struct {
    Choice<Criterion> c;
    void fields(Fields& f) { f("c", c, ""); }
  } holder;
  read(Document::parse("{\"c\": " + json + "}", "t"), holder);
  return holder.c;
}

std::vector<double> mask(const std::string& json, const Evidence& e, const char* pattern = "unstructured", double sparsity = 0) {
  return numbers_of(chosen_masks({&e, 1}, *criterion(json), Pattern::parse(pattern), sparsity)[0]);
}

}  // namespace

TEST_CASE("standardized: |w - mean| / deviation < theta goes; the other direction takes the weights that matter") {
  const Evidence e{Tensor::of<float>({1, 5}, {-3, -1, 0, 1, 3})};  // mean 0, deviation 2
  const auto z = criterion("\"standardized\"")->scores(e);
  CHECK(z == std::vector<double>{1.5, 0.5, 0, 0.5, 1.5});
  CHECK(mask(R"({"standardized": {"theta": 0.6}})", e) == std::vector<double>{1, 0, 0, 0, 1});
  CHECK(mask(R"({"standardized": {"theta": 0.5}})", e) == std::vector<double>{1, 1, 0, 1, 1});  // < is strict
  CHECK(mask(R"({"standardized": {"theta": 0.6, "removes": "far"}})", e) == std::vector<double>{0, 1, 1, 1, 0});
  const Evidence moved{Tensor::of<float>({1, 5}, {7, 9, 10, 11, 13})};  // the mean is taken off
  CHECK(mask(R"({"standardized": {"theta": 0.6}})", moved) == std::vector<double>{1, 0, 0, 0, 1});
  const Evidence left{Tensor::of<float>({1, 4}, {0, 0, 1, 3}), Tensor::of<float>({1, 4}, {0, 0, 1, 1})};  // mean 2, deviation 1
  CHECK(criterion("\"standardized\"")->scores(left)[2] == 1);
  const Evidence flat{Tensor::full({1, 3}, 2)};
  CHECK(mask(R"({"standardized": {"theta": 1}})", flat) == std::vector<double>{1, 0, 0});  // one stays
}

TEST_CASE("zeros: what is zero goes for good, by whole units") {
  const Evidence e{Tensor::of<float>({3, 2}, {0, 0, 0, 1, -1, 2})};
  CHECK(mask("\"zeros\"", e) == std::vector<double>{0, 0, 0, 1, 1, 1});
  CHECK(mask("\"zeros\"", e, "rows") == std::vector<double>{0, 0, 1, 1, 1, 1});
}

TEST_CASE("l1 and l2 of filters differ where they should") {
  const Evidence e{Tensor::of<float>({2, 2}, {3, 0, 2, 2})};  // l1 3 and 4, l2 3 and 2.83
  CHECK(mask("\"l1\"", e, "rows", 0.5) == std::vector<double>{0, 0, 1, 1});
  CHECK(mask("\"l2\"", e, "rows", 0.5) == std::vector<double>{1, 1, 0, 0});
}

TEST_CASE("movement adds -w dL/dw, gradient |w dL/dw|: what moves towards zero goes, however large") {
  const Tensor w = Tensor::of<double>({1, 3}, {2, -1, 0.5}), dw = Tensor::of<double>({1, 3}, {1, 2, -4});
  Tensor moved = Tensor::zeros({1, 3}, DType::f64), taylor = Tensor::zeros({1, 3}, DType::f64);
  for (int i = 0; i < 2; ++i) criterion("\"movement\"")->hear(w, dw, moved), criterion("\"gradient\"")->hear(w, dw, taylor);
  CHECK(numbers_of(moved) == std::vector<double>{-4, 4, 4});
  CHECK(numbers_of(taylor) == std::vector<double>{4, 4, 4});
  CHECK(mask("\"movement\"", {w, {}, moved}, "unstructured", 0.33) == std::vector<double>{0, 1, 1});
  for (const char* name : {"movement", "gradient"}) CHECK(Choice<Criterion>(name)->listens());
}

TEST_CASE("batch_norm ranks filters by their gain; without gains it says so") {
  const Evidence e{Tensor::full({3, 4}, 1), {}, {}, Tensor::of<float>({3}, {0.5, -0.1, 2})};
  CHECK(mask("\"batch_norm\"", e, "rows", 0.34) == std::vector<double>{1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1});
  CHECK_THROWS_AS(mask("\"batch_norm\"", Evidence{Tensor::full({3, 4}, 1)}, "rows", 0.34), Error);
}

TEST_CASE("random is by lot, the same for the same key, and spread evenly") {
  const Tensor w = random_normal({50, 40}, Key(1));
  const Evidence a{w, {}, {}, {}, Key(1)}, b{w, {}, {}, {}, Key(2)};
  const auto first = mask("\"random\"", a, "unstructured", 0.5), other = mask("\"random\"", b, "unstructured", 0.5);
  CHECK(first == mask("\"random\"", a, "unstructured", 0.5));
  CHECK(first != other);
  int64_t both = 0, small = 0;
  const auto x = numbers_of(w);
  for (size_t i = 0; i < first.size(); ++i)
    both += first[i] == 0 && other[i] == 0, small += first[i] == 0 && std::abs(x[i]) < 0.6745;
  CHECK(std::abs(static_cast<double>(both) / 2000 - 0.25) < 0.05);
  CHECK(std::abs(static_cast<double>(small) / 1000 - 0.5) < 0.07);  // no regard to size
}

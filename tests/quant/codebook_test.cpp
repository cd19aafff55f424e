// Weight sharing: clusters, their trained numbers, and pruned weights.
#include <doctest/doctest.h>

#include <set>

#include "lptrain/quant/quantize.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

const Quantizer kTwoBits = quantizer(R"({"format": "uint2", "scale": "kmeans"})");

double spread_around(const std::vector<double>& x, const std::vector<double>& book) {
  double sum = 0;
  for (double v : x) {
    double least = 1e300;
    for (double c : book) least = std::min(least, (v - c) * (v - c));
    sum += least;
  }
  return sum;
}

}  // namespace

TEST_CASE("Lloyd's algorithm from even steps: no centroid can be moved to advantage") {
  const Tensor x = random_normal({2000}, Key(1));
  const Tensor book = kTwoBits.rule().start(x, kTwoBits);
  CHECK(book.shape() == Shape{2, 4});
  std::vector<double> c = numbers_of(book);
  c.resize(4);
  CHECK(std::ranges::is_sorted(c));
  const double least = spread_around(numbers_of(x), c);
  for (size_t k = 0; k < 4; ++k)
    for (double d : {-0.05, 0.05}) {
      std::vector<double> moved = c;
      moved[k] += d;
      CHECK(spread_around(numbers_of(x), moved) > least);
    }
}

TEST_CASE("Han, Mao & Dally 2016, figure 3: weights, cluster indices and centroids") {
  const Tensor w = Tensor::of<float>({4, 4}, {2.09f, -0.98f, 1.48f, 0.09f, 0.05f, -0.14f, -1.08f, 2.12f, -0.91f, 1.92f, 0.0f,
                                              -1.03f, 1.87f, 0.0f, 1.53f, 1.49f});
  const Tensor book = Tensor::of<float>({2, 4}, {-1, 0, 1.5f, 2, -1, 0, 1.5f, 2});
  const Tensor gradient = Tensor::of<float>({4, 4}, {-0.03f, -0.01f, 0.03f, 0.02f, -0.01f, 0.01f, -0.02f, 0.12f, -0.01f, 0.02f,
                                                     0.04f, 0.01f, -0.07f, -0.02f, 0.01f, -0.02f});
  Tape tape;
  const Var vw = tape.leaf(w), vb = tape.leaf(book);
  const Var q = kTwoBits.rule().apply(vw, vb, kTwoBits);
  CHECK(numbers_of(q.tensor()) == std::vector<double>{2, -1, 1.5, 0, 0, 0, -1, 2, -1, 2, 0, -1, 2, 0, 1.5, 1.5});
  const Gradients g = tape.backward(q, gradient);
  const std::vector<double> dc = numbers_of(g.of(vb));
  CHECK(dc[0] == 0);  // who belongs where is settled
  CHECK(dc[4] == doctest::Approx(-0.01 - 0.02 - 0.01 + 0.01));
  CHECK(dc[5] == doctest::Approx(0.02 - 0.01 + 0.01));  // without the two weights that are 0: they count as pruned
  CHECK(dc[6] == doctest::Approx(0.03 + 0.01 - 0.02));
  CHECK(dc[7] == doctest::Approx(-0.03 + 0.12 + 0.02 - 0.07));
  CHECK(numbers_of(g.of(vw)) == std::vector<double>(16, 0.0));
}

TEST_CASE("pruned weights stay 0, and at most 2^bits numbers are left") {
  Tensor x = random_normal({500}, Key(2));
  for (size_t i = 0; i < 500; i += 2) x.data<float>()[i] = 0;
  const Var book(kTwoBits.rule().start(x, kTwoBits));
  const std::vector<double> q = numbers_of(kTwoBits.rule().apply(Var(x), book, kTwoBits).tensor());
  for (size_t i = 0; i < 500; ++i) CHECK((q[i] == 0) == (i % 2 == 0));
  CHECK(std::set<double>(q.begin(), q.end()).size() == 5);
}

TEST_CASE("what a codebook cannot do is said") {
  CHECK(holds(error_of([] { quantizer(R"({"format": "uint4", "scale": "kmeans", "per": "channel"})"); }), "formula of its own"));
  CHECK(holds(error_of([] {
                const Quantizer q = quantizer(R"({"format": "int16", "scale": "kmeans"})");
                q.rule().start(Tensor::zeros({4}), q);
              }),
              "12 bits"));
  CHECK(
      holds(error_of([] { from_json<Precision>(R"({"errors": {"format": "int4", "scale": "kmeans"}})"); }), "cannot be learned"));
  CHECK(holds(error_of([] { from_json<Precision>(R"({"activations": {"format": "int4", "per": "network"}})"); }), "network"));
}

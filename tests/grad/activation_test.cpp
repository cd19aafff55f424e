// The list of activations: names, fields, and values at the ends of the real line.
#include "lptrain/grad/activation.h"

#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "lptrain/base/document.h"
#include "lptrain/grad/ops.h"
#include "support/random_tensor.h"

namespace lp {

TEST_CASE("every name of the list is found, once, and is documented") {
  std::set<std::string_view> names;
  const Tensor x = random_normal({16}, Key(1));
  for (const ActivationRow& a : activations()) {
    CAPTURE(a.name);
    CHECK(names.insert(a.name).second);
    CHECK(!a.doc.empty());
    CHECK(numbers_of(activation(a.name, x).tensor()) == numbers_of(a.apply(x).tensor()));
  }
  CHECK(names.size() == std::tuple_size_v<Activations>);
}

TEST_CASE("an unknown activation is answered with the nearest name") {
  CHECK_THROWS_WITH_AS(activation("sigmod", Tensor::zeros({1})), "unknown activation \"sigmod\"; did you mean \"sigmoid\"?",
                       Error);
}

TEST_CASE("a parameter is a field") {
  LeakyRelu leaky;
  read(Document::parse(R"({"slope": 0.25})", "test"), leaky);
  CHECK(numbers_of(activate(leaky, Tensor::of<float>({2}, {-4, 4})).tensor()) == std::vector<double>{-1, 4});
}

TEST_CASE("far from zero nothing overflows, and NaN stays NaN") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ActivationRow& a : activations()) {
    CAPTURE(a.name);
    Tape tape;
    const Var x = tape.leaf(Tensor::of<float>({4}, {-200, -60, 60, 200}));
    const Var y = a.apply(x);
    const Tensor dx = tape.backward(sum_all(y)).of(x);
    for (double v : numbers_of(y.tensor())) CHECK(std::isfinite(v));
    for (double v : numbers_of(dx)) CHECK(std::abs(v) <= 1.2);
    CHECK(std::isnan(a.apply(Tensor::of<float>({1}, {nan})).tensor().item()));
  }
}

}  // namespace lp

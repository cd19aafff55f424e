// The tape: what flows, what is kept alive, and what is refused.
#include "lptrain/grad/tape.h"

#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "lptrain/tensor/math.h"
#include "support/random_tensor.h"

namespace lp {
namespace {

// y = x, with a rule that holds on to `held`.
Var holding(const Var& x, std::shared_ptr<int> held, Prepare prepare = {}) {
  return record(x.value, {{x, [held](const Value& dy) { return dy; }}}, std::move(prepare));
}

// d/dx of f at 3, f of one number.
template <class F>
double slope_at_3(F f) {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 3, DType::f64));
  return tape.backward(f(x)).of(x).item();
}

}  // namespace

TEST_CASE("gradients of all uses of a value add up") {
  CHECK(slope_at_3([](const Var& x) { return mul(x, x); }) == 6);
  CHECK(slope_at_3([](const Var& x) { return add(x, add(x, x)); }) == 3);
  CHECK(slope_at_3([](const Var& x) {
          const Var y = square(x);
          return add(mul(y, x), sub(y, y));
        }) == 27);
}

TEST_CASE("adding up never writes into a gradient that somebody else holds") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({2}, 3)), z = tape.leaf(Tensor::full({2}, 5));
  const Var y = add(x, z);  // both receive the very dy
  const Gradients g = tape.backward(sum_all(add(y, x)));
  CHECK(numbers_of(g.of(x)) == std::vector<double>{2, 2});
  CHECK(numbers_of(g.of(z)) == std::vector<double>{1, 1});
}

TEST_CASE("a leaf that the loss does not reach has the gradient zero") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 3)), apart = tape.leaf(Tensor::full({2, 3}, 1, DType::f64));
  const Var unused = square(apart);
  const Gradients g = tape.backward(square(x));
  CHECK(g.find(apart) == nullptr);
  CHECK(g.of(apart).shape() == Shape{2, 3});
  CHECK(g.of(apart).dtype() == DType::f64);
  CHECK(largest_magnitude(g.of(apart)) == 0);
  CHECK(g.find(unused) == nullptr);
}

TEST_CASE("a leaf may be the loss itself") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 3));
  CHECK(tape.backward(x).of(x).item() == 1);
}

TEST_CASE("the seed scales all gradients") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 3));
  CHECK(tape.backward(square(x), 1024).of(x).item() == 6 * 1024);
}

TEST_CASE("constants keep nothing") {
  const auto held = std::make_shared<int>(0);
  const Var y = holding(Var(Tensor::full({}, 1)), held, [held](const Value& dy) { return dy; });
  CHECK(y.is_constant());
  CHECK(held.use_count() == 1);

  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 2)), constant = Tensor::full({}, 3);
  const Var z = record(x.value, {{constant, [held](const Value& dy) { return dy; }}, {x, [](const Value& dy) { return dy; }}});
  CHECK(held.use_count() == 1);  // the edge to the constant is dropped, with what it held
  CHECK(tape.backward(z).of(x).item() == 1);
}

TEST_CASE("what rules hold lives until backward has passed them, and no longer") {
  const auto held = std::make_shared<int>(0), below = std::make_shared<int>(0);
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 2));
  const Var y = holding(x, below);
  long below_when_above_ran = 0;
  const Var z = record(y.value, {{y, [&, held](const Value& dy) {
                                    below_when_above_ran = below.use_count();
                                    return dy;
                                  }}});
  CHECK(held.use_count() == 2);
  CHECK(tape.backward(z).of(x).item() == 1);
  CHECK(below_when_above_ran == 2);
  CHECK(held.use_count() == 1);
  CHECK(below.use_count() == 1);
}

TEST_CASE("a forgotten tape frees what it held") {
  const auto held = std::make_shared<int>(0);
  {
    Tape tape;
    holding(tape.leaf(Tensor::full({}, 2)), held);
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("relu keeps its output alone, dropout nothing") {
  const Tensor x = Tensor::full({64}, 1);
  Tape tape;
  const int64_t before = memory_use().live_bytes;
  const Var leaf = tape.leaf(x);
  { const Var y = relu(leaf); }
  CHECK(memory_use().live_bytes == before + 256);
  { const Var y = dropout(leaf, 0.5, Key(1)); }
  CHECK(memory_use().live_bytes == before + 256);
}

TEST_CASE("prepare runs once, and all rules get what it made") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 2)), w = tape.leaf(Tensor::full({}, 5));
  int runs = 0;
  const auto same = [](const Value& dy) { return dy; };
  const Var y = record(x.value, {{x, same}, {w, same}}, [&](const Value& dy) {
    ++runs;
    return Value(scaled(dy.tensor(), 7));
  });
  const Gradients g = tape.backward(y);
  CHECK(runs == 1);
  CHECK(g.of(x).item() == 7);
  CHECK(g.of(w).item() == 7);
}

TEST_CASE("backward consumes the tape") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({}, 3));
  const Var y = square(x);
  CHECK(tape.backward(y).of(x).item() == 6);
  CHECK(tape.backward(y).find(x) == nullptr);  // the rules are gone
}

TEST_CASE("misuse is refused") {
  Tape tape, other;
  const Var x = tape.leaf(Tensor::full({2}, 3)), z = other.leaf(Tensor::full({2}, 3));
  CHECK_THROWS_WITH_AS(add(x, z), "an op mixes values of two tapes", Error);
  CHECK_THROWS_WITH_AS(tape.backward(x), "backward starts from a single number, found [2]", Error);
  CHECK_THROWS_WITH_AS(tape.backward(sum_all(z)), "backward: the value is not on this tape", Error);
  CHECK_THROWS_WITH_AS(tape.backward(Var(Tensor::full({}, 1))), "backward: the value is not on this tape", Error);
  CHECK_THROWS_WITH_AS(tape.backward(x, Tensor::full({3}, 1)), "backward: dy is [3], y is [2]", Error);
}

}  // namespace lp

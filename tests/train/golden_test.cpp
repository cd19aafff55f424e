// Forward passes, gradients and five optimizer steps of two small networks agree with PyTorch's.
#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "train/golden.h"

using namespace lp;
using golden::Network;

namespace {

using Params = std::vector<Tensor>;

Var mlp(const Var& x, const std::vector<Var>& p) { return linear(relu(linear(x, p[0], p[1])), p[2], p[3]); }

Var cnn(const Var& x, const std::vector<Var>& p) {
  Conv2d same;
  same.pad_h = same.pad_w = 1;
  const Var y = max_pool2d(relu(conv2d(x, p[0], p[1], same)), Pool2d{});
  return linear(reshape(y, {y.shape()[0], y.shape().after(0)}), p[2], p[3]);
}

struct Pass {
  Tensor logits;
  double loss;
  Params gradients;
};

Pass pass(const Network& network, const Params& params) {
  Tape tape;
  std::vector<Var> p;
  for (const Tensor& t : params) p.push_back(tape.leaf(t.clone()));  // the optimizer writes into its own
  const Var x = network.x.tensor(params[0].dtype());
  const Var logits = network.name == "mlp" ? mlp(x, p) : cnn(x, p);
  const Var loss = cross_entropy(logits, network.labels);
  const Gradients g = tape.backward(loss);
  Pass result{logits.tensor(), loss.tensor().item(), {}};
  for (const Var& v : p) result.gradients.push_back(g.of(v));
  return result;
}

Params tensors_of(const std::vector<golden::Numbers>& numbers, DType type) {
  Params params;
  for (const auto& n : numbers) params.push_back(n.tensor(type));
  return params;
}

double tolerance(DType type) { return type == DType::f64 ? 1e-12 : 2e-6; }

void check_run(const Network& network, const golden::Run& run, DType type) {
  Params params = tensors_of(network.params, type);
  const Optimizer& optimizer = *run.optimizer;
  std::vector<std::vector<Tensor>> slots(params.size());
  for (size_t i = 0; i < params.size(); ++i)
    for (size_t k = 0; k < optimizer.slots().size(); ++k) slots[i].push_back(Tensor::zeros(params[i].shape(), type));
  for (size_t step = 0; step < run.losses.size(); ++step) {
    const Pass now = pass(network, params);
    CHECK(std::abs(now.loss - run.losses[step]) < 10 * tolerance(type));
    const UpdateStep how{optimizer.lr, static_cast<int64_t>(step) + 1, true};
    for (size_t i = 0; i < params.size(); ++i) optimizer.update(how, params[i], now.gradients[i], slots[i]);
  }
  for (size_t i = 0; i < params.size(); ++i) CHECK(golden::distance(params[i], run.params[i]) < 10 * tolerance(type));
}

}  // namespace

TEST_CASE("logits, loss and gradients of an MLP and a CNN") {
  REQUIRE(golden::training().networks.size() == 2);
  for (const Network& network : golden::training().networks)
    for (DType type : {DType::f64, DType::f32}) {
      CAPTURE(network.name);
      CAPTURE(name_of(type));
      const Pass now = pass(network, tensors_of(network.params, type));
      CHECK(golden::distance(now.logits, network.logits) < tolerance(type));
      CHECK(std::abs(now.loss - network.loss) < tolerance(type));
      for (size_t i = 0; i < network.gradients.size(); ++i)
        CHECK(golden::distance(now.gradients[i], network.gradients[i]) < tolerance(type));
    }
}

TEST_CASE("five steps of every optimizer") {
  for (const Network& network : golden::training().networks) {
    REQUIRE(network.runs.size() >= 8);
    for (const golden::Run& run : network.runs)
      for (DType type : {DType::f64, DType::f32}) {
        CAPTURE(network.name);
        CAPTURE(name_of(type));
        CAPTURE(run.optimizer.name());
        REQUIRE(run.losses.size() == 5);
        check_run(network, run, type);
      }
  }
}

// The proof of a gradient: in one random direction, a central difference against what backward says.
#pragma once
#include <functional>
#include <vector>

#include "lptrain/grad/tape.h"
#include "lptrain/tensor/math.h"
#include "support/random_tensor.h"

namespace lp {

using DifferentiableFunction = std::function<Var(const std::vector<Var>&)>;

struct GradientCheck {
  int directions = 3;
  double step = 1e-5;       // of the central difference; its error is O(step^2)
  bool all_reached = true;  // an input without influence is a mistake of the test
};

inline Tensor value_at(const DifferentiableFunction& f, const std::vector<Tensor>& inputs) {
  return f(std::vector<Var>(inputs.begin(), inputs.end())).tensor();
}

// J^T u for each input, u = dL/dy.
inline std::vector<Tensor> pulled_back(const DifferentiableFunction& f, const std::vector<Tensor>& inputs, const Tensor& u) {
  Tape tape;
  std::vector<Var> leaves;
  for (const Tensor& t : inputs) leaves.push_back(tape.leaf(t));
  const Gradients gradients = tape.backward(f(leaves), u);
  std::vector<Tensor> out;
  for (const Var& leaf : leaves) out.push_back(gradients.of(leaf));
  return out;
}

// J v by central difference, where only input i moves, along v.
inline Tensor pushed_forward(const DifferentiableFunction& f, std::vector<Tensor> inputs, size_t i, const Tensor& v,
                             double step) {
  const Tensor x = inputs[i];
  inputs[i] = add(x, scaled(v, step));
  const Tensor above = value_at(f, inputs);
  inputs[i] = add(x, scaled(v, -step));
  return scaled(add(above, scaled(value_at(f, inputs), -1)), 0.5 / step);
}

// The largest |<u, J v> - <J^T u, v>| / sum |u_k (J v)_k| over all inputs and over random directions u, v. f64 inputs, off kinks,
// f smooth there. Infinite if an input has no influence at all (unless allowed): such a check could not fail.
inline double gradient_error(const DifferentiableFunction& f, const std::vector<Tensor>& inputs, Key key,
                             GradientCheck how = {}) {
  double most = 0;
  for (int d = 0; d < how.directions; ++d) {
    const Key draw = key.with(static_cast<uint64_t>(d));
    const Tensor u = random_normal(value_at(f, inputs).shape(), draw.with("u"), DType::f64);
    const std::vector<Tensor> gradients = pulled_back(f, inputs, u);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Tensor v = random_normal(inputs[i].shape(), draw.with("v").with(i), DType::f64);
      const Tensor jv = pushed_forward(f, inputs, i, v, how.step);
      const double size = dot(map(u, [](auto a) { return std::abs(a); }), map(jv, [](auto a) { return std::abs(a); }));
      const double error = std::abs(dot(u, jv) - dot(gradients[i], v));
      if (size > 0)
        most = std::max(most, error / size);
      else if (how.all_reached || error > 0)
        return std::numeric_limits<double>::infinity();
      if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    }
  }
  return most;
}

}  // namespace lp

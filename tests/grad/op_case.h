// What a row of the table of ops holds, and where its inputs come from.
#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "lptrain/grad/ops.h"
#include "support/random_tensor.h"

namespace lp {

using Inputs = std::vector<Var>;
using Source = std::function<Tensor(Key)>;  // an f64 input

struct Refusal {
  std::string_view message;  // part of what the error says
  std::function<Var()> run;
};

struct OpCase {
  std::string_view name;  // of the function in ops.h; several rows may share it
  std::vector<Source> inputs;
  std::function<Var(const Inputs&)> run;
  std::vector<Refusal> refusals;
};

inline Source normal(Shape s) {
  return [=](Key k) { return random_normal(s, k, DType::f64); };
}
inline Source positive(Shape s) {
  return [=](Key k) { return random_uniform(s, k, 0.5, 2, DType::f64); };
}
inline Source distinct(Shape s) {
  return [=](Key k) { return random_distinct(s, k, DType::f64); };
}
inline Source away_from(Shape s, std::vector<double> kinks) {
  return [=](Key k) { return random_away_from(s, k, kinks, DType::f64); };
}

inline Var zeros(Shape s, DType type = DType::f32) { return Tensor::zeros(s, type); }
inline const Var kNothing;

}  // namespace lp

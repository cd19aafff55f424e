// One row for every differentiable op of lptrain/grad/ops.h: how it is called, where its gradient is checked, and what it
// refuses.
#pragma once
#include "loss_cases.h"
#include "lptrain/grad/activation.h"
#include "op_case.h"
#include "sequence_cases.h"

namespace lp {

inline std::vector<OpCase> arithmetic_cases() {
  const auto add_all = [](const Inputs& v) { return add(v[0], v[1]); };
  return {
      {"add",
       {normal({2, 3, 4}), normal({3, 1})},
       add_all,
       {{"add: shapes [2,3] and [4] do not go together",
         [] {
           return add(zeros({2, 3}), zeros({4}));
         }},
        {"add: one operand is f32, the other f64", [] { return add(zeros({2}), zeros({2}, DType::f64)); }}}},
      {"add", {normal({4}), normal({5, 4})}, add_all, {}},
      {"add", {normal({3, 4}), normal({3, 4})}, add_all, {}},
      {"sub",
       {normal({3, 4}), normal({4})},
       [](auto& v) { return sub(v[0], v[1]); },
       {{"sub: an operand is empty", [] { return sub(zeros({2}), kNothing); }}}},
      {"mul",
       {normal({3, 1, 4}), normal({2, 1})},
       [](auto& v) { return mul(v[0], v[1]); },
       {{"mul: shapes", [] { return mul(zeros({2}), zeros({3})); }}}},
      {"div",
       {normal({3, 4}), positive({3, 1})},
       [](auto& v) { return div(v[0], v[1]); },
       {{"div: shapes", [] { return div(zeros({2}), zeros({3})); }}}},
      {"div", {normal({4}), positive({3, 4})}, [](auto& v) { return div(v[0], v[1]); }, {}},
      {"scale",
       {normal({7})},
       [](auto& v) { return scale(v[0], -2.5); },
       {{"scale: the input is empty", [] { return scale(kNothing, 1); }}}},
      {"shift",
       {normal({7})},
       [](auto& v) { return shift(v[0], 3); },
       {{"shift: the input is empty", [] { return shift(kNothing, 1); }}}},
      {"neg", {normal({7})}, [](auto& v) { return neg(v[0]); }, {{"neg: the input is empty", [] { return neg(kNothing); }}}},
      {"square",
       {normal({7})},
       [](auto& v) { return square(v[0]); },
       {{"square: the input is empty", [] { return square(kNothing); }}}},
      {"sqrt",
       {positive({7})},
       [](auto& v) { return sqrt(v[0]); },
       {{"sqrt: the input is empty", [] { return sqrt(kNothing); }}}},
      {"exp", {normal({7})}, [](auto& v) { return exp(v[0]); }, {{"exp: the input is empty", [] { return exp(kNothing); }}}},
      {"log", {positive({7})}, [](auto& v) { return log(v[0]); }, {{"log: the input is empty", [] { return log(kNothing); }}}},
      {"abs",
       {away_from({9}, {0})},
       [](auto& v) { return abs(v[0]); },
       {{"abs: the input is empty", [] { return abs(kNothing); }}}},
      {"clamp",
       {away_from({29}, {-1, 0.5})},
       [](auto& v) { return clamp(v[0], -1, 0.5); },
       {{"clamp: the low bound 2 is above the high bound 1", [] { return clamp(zeros({2}), 2, 1); }}}},
  };
}

inline std::vector<OpCase> product_cases() {
  const Conv2d strided{.stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 2, .dilation_h = 1, .dilation_w = 2};
  const Conv2d grouped{.pad_h = 1, .pad_w = 1, .groups = 2};
  return {
      {"matmul",
       {normal({3, 5}), normal({5, 4})},
       [](auto& v) { return matmul(v[0], v[1]); },
       {{"inner sizes differ",
         [] {
           return matmul(zeros({2, 3}), zeros({4, 2}));
         }}}},
      {"linear",
       {normal({3, 5}), normal({4, 5}), normal({4})},
       [](auto& v) { return linear(v[0], v[1], v[2]); },
       {{"inner sizes differ",
         [] {
           return linear(zeros({2, 3}), zeros({4, 2}), {});
         }},
        {"bias must be [4]",
         [] {
           return linear(zeros({2, 3}), zeros({4, 3}), zeros({5}));
         }}}},
      {"linear", {normal({2, 3, 5}), normal({4, 5})}, [](auto& v) { return linear(v[0], v[1], {}); }, {}},
      {"conv2d",
       {normal({2, 5, 4, 3}), normal({4, 3, 3, 3}), normal({4})},
       [](auto& v) { return conv2d(v[0], v[1], v[2], {}); },
       {{"conv2d: x must be [N,H,W,C]",
         [] {
           return conv2d(zeros({4, 4, 1}), zeros({1, 3, 3, 1}), {}, {});
         }},
        {"do not fit 2 groups",
         [] {
           return conv2d(zeros({1, 4, 4, 3}), zeros({2, 3, 3, 1}), {}, {.groups = 2});
         }},
        {"larger than the padded input",
         [] {
           return conv2d(zeros({1, 2, 2, 1}), zeros({1, 3, 3, 1}), {}, {});
         }},
        {"stride and dilation",
         [] {
           return conv2d(zeros({1, 4, 4, 1}), zeros({1, 3, 3, 1}), {}, {.stride_h = 0});
         }}}},
      {"conv2d", {normal({2, 7, 6, 2}), normal({3, 3, 3, 2})}, [=](auto& v) { return conv2d(v[0], v[1], {}, strided); }, {}},
      {"conv2d",
       {normal({2, 4, 5, 4}), normal({6, 3, 2, 2}), normal({6})},
       [=](auto& v) { return conv2d(v[0], v[1], v[2], grouped); },
       {}},
  };
}

inline std::vector<OpCase> pool_cases() {
  const Pool2d overlapping{.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 1};
  return {
      {"max_pool2d",
       {distinct({2, 5, 4, 3})},
       [](auto& v) { return max_pool2d(v[0], {}); },
       {{"max_pool2d: x is [2,3], expected [N,H,W,C]",
         [] {
           return max_pool2d(zeros({2, 3}), {});
         }},
        {"max_pool2d: kernel 2x2 is larger than x [1,1,4,1]",
         [] {
           return max_pool2d(zeros({1, 1, 4, 1}), {});
         }},
        {"padding 2x0 must be within 0 and half the kernel",
         [] {
           return max_pool2d(zeros({1, 4, 4, 1}), {.pad_h = 2});
         }},
        {"must be at least 1",
         [] {
           return max_pool2d(zeros({1, 4, 4, 1}), {.stride_w = 0});
         }},
        {"more than 256 elements",
         [] {
           return max_pool2d(zeros({1, 20, 20, 1}), {.kernel_h = 17, .kernel_w = 16});
         }}}},
      {"max_pool2d", {distinct({2, 5, 6, 2})}, [=](auto& v) { return max_pool2d(v[0], overlapping); }, {}},
      {"avg_pool2d",
       {normal({2, 4, 6, 3})},
       [](auto& v) { return avg_pool2d(v[0], {}); },
       {{"avg_pool2d: x is empty", [] { return avg_pool2d(kNothing, {}); }}}},
      {"avg_pool2d", {normal({2, 5, 6, 2})}, [=](auto& v) { return avg_pool2d(v[0], overlapping); }, {}},
      {"global_avg_pool",
       {normal({2, 3, 4, 5})},
       [](auto& v) { return global_avg_pool(v[0]); },
       {{"global_avg_pool: x is [2,3]",
         [] {
           return global_avg_pool(zeros({2, 3}));
         }}}},
  };
}

// One row an activation of the list: all at once, for the kinks of none lie elsewhere.
inline std::vector<OpCase> activation_cases() {
  std::vector<OpCase> cases;
  for (const ActivationRow& a : activations())
    cases.push_back({a.name,
                     {away_from({60}, {-3, -1, 0, 1, 3, 6})},
                     [&a](auto& v) { return a.apply(v[0]); },
                     {{": the input is empty", [&a] { return a.apply(kNothing); }}}});
  cases.push_back({"leaky_relu", {away_from({20}, {0})}, [](auto& v) { return leaky_relu(v[0], 0.3); }, {}});
  return cases;
}

inline std::vector<OpCase> norm_cases() {
  const auto batch = [](const Inputs& v) { return batch_norm(v[0], v[1], v[2], 1e-3).y; };
  const Tensor mean = Tensor::of<double>({3}, {0.5, -1, 2}), variance = Tensor::of<double>({3}, {1, 0.25, 4});
  const auto fixed = [=](const Inputs& v) {
    const DType type = v[0].value.dtype();
    return batch_norm_fixed(v[0], v[1], v[2], convert(mean, type), convert(variance, type), 1e-3);
  };
  return {
      {"batch_norm",
       {normal({11, 3}), positive({3}), normal({3})},
       batch,
       {{"batch_norm: x is [4,3], so gamma and beta must be [3]; found [2] and [3]",
         [=] {
           return batch({zeros({4, 3}), zeros({2}), zeros({3})});
         }},
        {"batch_norm: x is [3], expected [N,C]",
         [=] {
           return batch({zeros({3}), zeros({3}), zeros({3})});
         }},
        {"its variance needs two",
         [=] {
           return batch({zeros({1, 3}), zeros({3}), zeros({3})});
         }}}},
      {"batch_norm", {normal({2, 3, 4, 5}), positive({5}), normal({5})}, batch, {}},
      {"batch_norm_fixed",
       {normal({2, 2, 3}), positive({3}), normal({3})},
       fixed,
       {{"mean and variance must be [2]; found [3] and [3]",
         [=] {
           return fixed({zeros({4, 2}), zeros({2}), zeros({2})});
         }}}},
      {"layer_norm",
       {normal({4, 7}), positive({7}), normal({7})},
       [](auto& v) { return layer_norm(v[0], v[1], v[2], 1e-3); },
       {{"layer_norm: x is [4,3], so gamma and beta must be [3]",
         [] {
           return layer_norm(zeros({4, 3}), zeros({2}), zeros({3}), 1e-5);
         }},
        {"eps -1 is below 0",
         [] {
           return layer_norm(zeros({4, 3}), zeros({3}), zeros({3}), -1);
         }}}},
  };
}

inline std::vector<OpCase> shape_cases() {
  return {
      {"reshape",
       {normal({2, 6})},
       [](auto& v) {
         return reshape(v[0], {3, 4});
       },
       {{"reshape: [2,3] has 6 elements, [4,2] has 8",
         [] {
           return reshape(zeros({2, 3}), {4, 2});
         }}}},
      {"permute",
       {normal({2, 3, 4})},
       [](auto& v) {
         return permute(v[0], {2, 0, -2});
       },
       {{"permute: each axis of [2,3] must be named once",
         [] {
           return permute(zeros({2, 3}), {0, 0});
         }}}},
      {"slice",
       {normal({3, 7, 2})},
       [](auto& v) { return slice(v[0], 1, 1, 6, 2); },
       {{"slice: 2..4 step 1 of axis 1 of [2,3]",
         [] {
           return slice(zeros({2, 3}), 1, 2, 4);
         }}}},
      {"slice", {normal({5, 2})}, [](auto& v) { return slice(v[0], 0, 1, 3); }, {}},
      {"concat",
       {normal({2, 3, 2}), normal({2, 1, 2}), normal({2, 2, 2})},
       [](auto& v) { return concat(v, -2); },
       {{"concat along axis 0: [2,3] and [2,4] differ elsewhere",
         [] {
           return concat({zeros({2, 3}), zeros({2, 4})}, 0);
         }},
        {"concat: nothing to join", [] { return concat(Inputs(), 0); }}}},
      {"pad",
       {normal({2, 3, 2})},
       [](auto& v) { return pad(v[0], -2, 2, 1); },
       {{"pad: cannot add -1 and 0 zeros", [] { return pad(zeros({2}), 0, -1, 0); }},
        {"pad: [2] has no axis 1", [] { return pad(zeros({2}), 1, 1, 0); }}}},
  };
}

inline std::vector<OpCase> reduction_cases() {
  return {
      {"sum",
       {normal({2, 3, 4})},
       [](auto& v) {
         return sum(v[0], {0, -1});
       },
       {{"sum: [2] has no axis 1", [] { return sum(zeros({2}), {1}); }}}},
      {"sum", {normal({2, 3, 4})}, [](auto& v) { return sum(v[0], {1}, true); }, {}},
      {"mean",
       {normal({2, 3, 4})},
       [](auto& v) { return mean(v[0], {1}); },
       {{"mean: [2] has no axis -2", [] { return mean(zeros({2}), {-2}); }},
        {"mean: [0,3] has no elements",
         [] {
           return mean(zeros({0, 3}), {0});
         }}}},
      {"sum_all",
       {normal({2, 3})},
       [](auto& v) { return sum_all(v[0]); },
       {{"sum_all: the input is empty", [] { return sum_all(kNothing); }}}},
      {"mean_all",
       {normal({2, 3})},
       [](auto& v) { return mean_all(v[0]); },
       {{"mean_all: [0] has no elements", [] { return mean_all(zeros({0})); }}}},
      {"max",
       {distinct({2, 5, 3})},
       [](auto& v) { return max(v[0], 1); },
       {{"max: [2,3] has no axis 2",
         [] {
           return max(zeros({2, 3}), 2);
         }},
        {"max: axis 0 of [0,3] has no elements",
         [] {
           return max(zeros({0, 3}), 0);
         }}}},
      {"max", {distinct({4, 5})}, [](auto& v) { return max(v[0], -1, true); }, {}},
      {"softmax",
       {normal({3, 5})},
       [](auto& v) { return softmax(v[0]); },
       {{"softmax: x is []", [] { return softmax(zeros({})); }}}},
      {"log_softmax",
       {normal({3, 5})},
       [](auto& v) { return log_softmax(v[0]); },
       {{"log_softmax: x is [3,0]",
         [] {
           return log_softmax(zeros({3, 0}));
         }}}},
  };
}

inline const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> cases;
    for (auto family : {arithmetic_cases, product_cases, pool_cases, activation_cases, norm_cases, shape_cases, sequence_cases,
                        reduction_cases, lookup_cases, loss_cases})
      std::ranges::move(family(), std::back_inserter(cases));
    return cases;
  }();
  return all;
}

}  // namespace lp

// Rows of the table of ops (op_cases.h) for losses, and for lookup by index.
#pragma once
#include "op_case.h"

namespace lp {

// Labels of the rows below.
inline const std::vector<int32_t> kLabels = {2, 0, 3, 1, 3}, kBits = {1, 0, 1, 1, 0}, kTooLarge = {2, 0, 4, 1, 3},
                                  kIndices = {4, 1, 1, 0, 4, 2};

inline std::vector<OpCase> lookup_cases() {
  const auto embed = [](const Inputs& v) { return embedding(v[0], kIndices, {2, 3}); };
  const auto drop = [](const Inputs& v) { return dropout(v[0], 0.4, Key(7)); };
  return {{"embedding",
           {normal({5, 3})},
           embed,
           {{"embedding: index 4 at position 0 is outside 0..3 (table [4,3])",
             [=] {
               return embed({zeros({4, 3})});
             }},
            {"embedding: 6 indices do not fill [7]",
             [] {
               return embedding(zeros({5, 3}), kIndices, {7});
             }},
            {"embedding: the table is [5], expected [V,D]", [=] { return embed({zeros({5})}); }}}},
          {"dropout", {normal({40})}, drop, {{"dropout: rate 1 is outside", [] { return dropout(zeros({2}), 1, Key(1)); }}}}};
}

inline std::vector<OpCase> loss_cases() {
  return {
      {"cross_entropy",
       {normal({5, 4})},
       [](auto& v) { return cross_entropy(v[0], kLabels); },
       {{"cross_entropy: label 4 of example 2 is outside 0..3",
         [] {
           return cross_entropy(zeros({5, 4}), kTooLarge);
         }},
        {"cross_entropy: 5 labels for scores [3,4]",
         [] {
           return cross_entropy(zeros({3, 4}), kLabels);
         }},
        {"cross_entropy: label smoothing 2",
         [] {
           return cross_entropy(zeros({5, 4}), kLabels, 2);
         }},
        {"cross_entropy: the scores are [5]", [] { return cross_entropy(zeros({5}), kLabels); }}}},
      {"cross_entropy", {normal({5, 4})}, [](auto& v) { return cross_entropy(v[0], kLabels, 0.1); }, {}},
      {"binary_cross_entropy",
       {normal({5, 1})},
       [](auto& v) { return binary_cross_entropy(v[0], kBits); },
       {{"binary_cross_entropy: label 2 of example 0 is outside 0..1",
         [] {
           return binary_cross_entropy(zeros({5, 1}), kLabels);
         }}}},
      {"binary_cross_entropy", {normal({5, 4})}, [](auto& v) { return binary_cross_entropy(v[0], kLabels); }, {}},
      {"distillation",
       {normal({5, 4})},
       [](auto& v) {
         return distillation(v[0], random_normal({5, 4}, Key(7), DType::f64), 3);
       },
       {{"distillation: the scores are [5]", [] { return distillation(zeros({5}), Tensor::zeros({5}), 3); }},
        {"distillation: the teacher's scores are [5,3]",
         [] {
           return distillation(zeros({5, 4}), Tensor::zeros({5, 3}), 3);
         }},
        {"distillation: temperature 0",
         [] {
           return distillation(zeros({5, 4}), Tensor::zeros({5, 4}), 0);
         }}}},
      {"similarity",
       {normal({4, 3, 2})},
       [](auto& v) {
         return similarity(v[0], random_normal({4, 5}, Key(7), DType::f64));
       },
       {{"similarity: the teacher saw [3,2], the student [4,2]",
         [] {
           return similarity(zeros({4, 2}), Tensor::zeros({3, 2}));
         }},
        {"similarity: x is [4]",
         [] {
           return similarity(zeros({4}), Tensor::zeros({4, 2}));
         }}}},
      {"mse",
       {normal({3, 4}), normal({3, 4})},
       [](auto& v) { return mse(v[0], v[1]); },
       {{"mse: y is [3,4], the target [4]",
         [] {
           return mse(zeros({3, 4}), zeros({4}));
         }}}},
      {"squared_hinge",
       {away_from({5, 4}, {-1, 1})},
       [](auto& v) { return squared_hinge(v[0], kLabels); },
       {{"squared_hinge: 5 labels for scores [4,4]",
         [] {
           return squared_hinge(zeros({4, 4}), kLabels);
         }}}},
  };
}

}  // namespace lp

// Rows of the table of ops (op_cases.h) for those that sequences need.
#pragma once
#include "op_case.h"

namespace lp {

// Steps of recurrent layers, and attention: of 2 examples and a state of 3.
inline std::vector<OpCase> sequence_cases() {
  return {
      {"lstm_cell",
       {normal({2, 12}), normal({2, 12}), normal({2, 3})},
       [](auto& v) { return lstm_cell(v[0], v[1], v[2]); },
       {{"lstm_cell: the state is [2,3], so x and h must have 4 gates of its size; found [2,9] and [2,9]",
         [] {
           return lstm_cell(zeros({2, 9}), zeros({2, 9}), zeros({2, 3}));
         }},
        {"lstm_cell: an input is empty",
         [] {
           return lstm_cell(zeros({2, 12}), kNothing, zeros({2, 3}));
         }}}},
      {"gru_cell",
       {normal({2, 9}), normal({2, 9}), normal({2, 3})},
       [](auto& v) { return gru_cell(v[0], v[1], v[2]); },
       {{"gru_cell: the state is [2,3], so x and h must have 3 gates",
         [] {
           return gru_cell(zeros({2, 12}), zeros({2, 12}), zeros({2, 3}));
         }}}},
      {"unstack",
       {normal({3, 2, 4})},
       [](auto& v) {
         const std::vector<Var> parts = unstack(v[0]);
         return add(mul(parts[0], parts[2]), square(parts[1]));
       },
       {{"unstack: x is [], expected an axis", [] { return unstack(zeros({})).at(0); }}}},
      {"unstack",  // a part that nobody uses, and one that is used twice
       {normal({3, 4})},
       [](auto& v) {
         const std::vector<Var> parts = unstack(v[0]);
         return mul(parts[2], add(parts[2], unstack(v[0])[0]));
       },
       {}},
      {"attention",
       {normal({2, 4, 6}), normal({2, 4, 6}), normal({2, 4, 6})},
       [](auto& v) { return attention(v[0], v[1], v[2], 3, false); },
       {{"attention: 4 heads do not divide 6 channels evenly",
         [] {
           return attention(zeros({2, 4, 6}), zeros({2, 4, 6}), zeros({2, 4, 6}), 4, false);
         }},
        {"attention: q, k and v must be [N,T,C], found [2,6], [2,6] and [2,6]",
         [] {
           return attention(zeros({2, 6}), zeros({2, 6}), zeros({2, 6}), 1, false);
         }}}},
      {"attention",
       {normal({1, 5, 2}), normal({1, 5, 2}), normal({1, 5, 2})},
       [](auto& v) { return attention(v[0], v[1], v[2], 1, true); },
       {}},
  };
}

}  // namespace lp

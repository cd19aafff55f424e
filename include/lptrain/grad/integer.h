// What an integer machine needs instead of exp and log: the error of a softmax, made of additions, shifts and one division a
// class.
#pragma once
#include <span>

#include "lptrain/grad/tape.h"

namespace lp {

// Cross entropy whose gradient is computed in integers alone. For logits z[N,K] (any reals; of a product of integers, integers
// times a power of two), F = fraction_bits, and floor division throughout:
//   t_k = floor(z_k 47274 2^(F - 15))                   47274 / 2^15 is log2 e: from here on powers of 2 stand for powers of e
//   d_k = max t - t_k,  i = ceil(d_k / 2^F),  m = i 2^F - d_k         so that 2^-(d_k / 2^F) = 2^(m / 2^F) / 2^i
//   y_k = (2^F + m) 2^(20 - F) / 2^i                    2^(m / 2^F) as the straight line 1 + m / 2^F (Mitchell 1962)
//   p_k = y_k 2^15 / sum y                              a softmax in units of 2^-15
//   e_k = p_k, but e_label = -(sum of the others), so that an example's errors sum to 0
//   dz_k = dy 2^-15 e_k / 2^ceil(log2 N)                the mean, over a power of two
// The value, -mean log(max(p_label, 1) / 2^15), is for people: nothing is computed from it.
//   Source: Wang et al. 2022 (NITI), section 3.3, which is F = 0: whole exponents
inline constexpr int kErrorBits = 15;
Var integer_cross_entropy(const Var& logits, std::span<const int32_t> labels, int fraction_bits = 8);

// e[K] of one row: the integers above. p is written too.
void integer_softmax_error(std::span<const double> z, int32_t label, int fraction_bits, std::span<int64_t> p,
                           std::span<int64_t> e);

}  // namespace lp

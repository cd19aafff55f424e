// The softmax of integers.
#include "lptrain/grad/integer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "lptrain/grad/ops.h"
#include "rows.h"

namespace lp {
namespace {

constexpr double kLog2E = 47274.0 / 32768;
constexpr int kUnit = 20;        // y = 1 is 2^20
constexpr double kFar = 0x1p40;  // beyond this all logits are alike: far below the greatest

// floor(z log2 e 2^F); exact for logits of 24 bits.
int64_t in_powers_of_two(double z, int fraction_bits) {
  return static_cast<int64_t>(std::floor(std::clamp(std::ldexp(z * kLog2E, fraction_bits), -kFar, kFar)));
}

// 2^-(d / 2^F) in units of 2^-20.
int64_t power(int64_t d, int fraction_bits) {
  const int64_t one = int64_t{1} << fraction_bits, i = (d + one - 1) >> fraction_bits, m = (i << fraction_bits) - d;
  return i > kUnit + 1 ? 0 : ((one + m) << (kUnit - fraction_bits)) >> i;
}

// log2 of the least power of two that is not below n.
int bits_for(int64_t n) {
  int bits = 0;
  while ((int64_t{1} << bits) < n) ++bits;
  return bits;
}

void check(const Var& logits, std::span<const int32_t> labels, int fraction_bits) {
  require(logits.value && logits.shape().rank() >= 2 && logits.value.size() > 0,
          "integer_cross_entropy: the logits are {}, expected [N,K]", logits.value ? logits.shape().text() : "empty");
  require(logits.shape().rows() == static_cast<int64_t>(labels.size()), "integer_cross_entropy: {} labels for logits {}",
          labels.size(), logits.shape().text());
  require(fraction_bits >= 0 && fraction_bits <= 12, "integer_cross_entropy: {} fraction bits are outside 0..12", fraction_bits);
  const int64_t K = logits.shape().back();
  for (size_t i = 0; i < labels.size(); ++i)
    require(labels[i] >= 0 && labels[i] < K, "integer_cross_entropy: label {} of example {} is outside 0..{}", labels[i], i,
            K - 1);
}

}  // namespace

void integer_softmax_error(std::span<const double> z, int32_t label, int fraction_bits, std::span<int64_t> p,
                           std::span<int64_t> e) {
  for (size_t k = 0; k < z.size(); ++k) p[k] = in_powers_of_two(z[k], fraction_bits);
  const int64_t most = *std::ranges::max_element(p);
  int64_t sum = 0, others = 0;
  for (int64_t& y : p) sum += y = power(most - y, fraction_bits);
  for (int64_t& y : p) y = (y << kErrorBits) / sum;
  for (size_t k = 0; k < p.size(); ++k) others += k == static_cast<size_t>(label) ? 0 : e[k] = p[k];
  e[static_cast<size_t>(label)] = -others;
}

Var integer_cross_entropy(const Var& logits, std::span<const int32_t> labels, int fraction_bits) {
  check(logits, labels, fraction_bits);
  const size_t K = static_cast<size_t>(logits.shape().back());
  const double unit = std::ldexp(1.0, -kErrorBits - bits_for(std::ssize(labels)));
  std::vector<double> losses(labels.size());
  const Tensor errors = by_row(logits.tensor(), [&]<class T>(const T* z, T* dz, int64_t, int64_t r) {
    const std::vector<double> row(z, z + K);
    std::vector<int64_t> p(K), e(K);
    const int32_t label = labels[static_cast<size_t>(r)];
    integer_softmax_error(row, label, fraction_bits, p, e);
    for (size_t k = 0; k < K; ++k) dz[k] = static_cast<T>(static_cast<double>(e[k]) * unit);
    const int64_t hit = std::max<int64_t>(p[static_cast<size_t>(label)], 1);
    losses[static_cast<size_t>(r)] = -std::log(std::ldexp(static_cast<double>(hit), -kErrorBits));
  });
  double total = 0;
  for (double loss : losses) total += loss;
  return record(Tensor::full({}, total / static_cast<double>(labels.size()), errors.dtype()),
                {{logits, [errors](const Value& dy) { return scaled(errors, dy.tensor().item()); }}});
}

}  // namespace lp

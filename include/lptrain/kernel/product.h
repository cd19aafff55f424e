// Matrix products and convolutions in the arithmetic of their operands: all rows keep one contract, integer rows to the bit.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "lptrain/kernel/accumulator.h"
#include "lptrain/kernel/table.h"
#include "lptrain/number/dtype.h"

namespace lp {

// Operand types and what the product is held in:
//   f64 f64 -> f64;  f32 f32 -> f32;  bf16 bf16 -> f32, f16 f16 -> f32 (products exact, sums in f32);
//   {i8,u8} {i8,u8} -> i32, exact for k <= 65793 and modulo 2^32 beyond;  i16 i16 -> f64 holding integers, exact for k < 2^23.
// Any other pair, a c of another type and negative sizes are errors (usage). Operands need the alignment of their type only.
// A key may name another accumulator, which the scalar reference row models: exact, and slow. It sums in the order in which the
// formulas below name their indices, the first one outermost.

inline constexpr int64_t kExactTerms = 65793;  // of bytes in an i32: 255 * 128 * 65793 < 2^31

// What the codes in bytes can be, as far as rows know to use it: few levels are few planes of bits, whose products are counted
// instead of multiplied. A promise of the caller; `any` promises nothing.
enum class Levels : uint8_t {
  any,
  bit,              // 0, 1
  signs,            // -1, 1
  ternary,          // -1, 0, 1
  two_bits,         // 0 .. 3
  signed_two_bits,  // -2 .. 1
};
std::string_view name_of(Levels levels);

// c[m,n] = sum_k op(a)[m,k] op(b)[k,n] (+ c if accumulate). Row-major, dense: a is [m,k], or [k,m] if transpose_a; b is [k,n],
// or [n,k] if transpose_b. c overlaps neither operand. m, n, k >= 0; k = 0 gives zeros. Only the last row of the table takes
// empty products; matmul() sees to that.
struct MatmulKey {
  int64_t m, n, k;
  DType a, b, c;
  bool transpose_a = false, transpose_b = false, accumulate = false;
  Accumulator accumulator = {};
  Levels levels_a = Levels::any, levels_b = Levels::any;
  bool is_modelled() const;  // its sums are not those that every row makes
  auto operator<=>(const MatmulKey&) const = default;
};
using MatmulRun = void(const MatmulKey&, const void* a, const void* b, void* c);
using MatmulRow = KernelRow<MatmulKey, MatmulRun>;
std::span<const MatmulRow> matmul_rows();
void matmul(const MatmulKey& key, const void* a, const void* b, void* c);  // runs the chosen row

// Shapes of a 2-D convolution (cross-correlation): x[N,H,W,C], w[O,KH,KW,C/groups], y[N,OH,OW,O], zero padding.
//   y[n,i,j,o] = sum_{u,v,c} x[n, i*stride + u*dilation - pad, j*stride + v*dilation - pad, c] w[o,u,v,c]
// with c running over the C/groups channels of o's group. A NaN or infinity that meets padding may or may not make a NaN.
struct ConvShape {
  int64_t N, H, W, C, O, KH, KW;
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, groups = 1;
  int64_t OH() const { return (H + 2 * pad_h - dilation_h * (KH - 1) - 1) / stride_h + 1; }
  int64_t OW() const { return (W + 2 * pad_w - dilation_w * (KW - 1) - 1) / stride_w + 1; }
  auto operator<=>(const ConvShape&) const = default;
};

// forward:           a = x, b = w, c = y
// backward_data:     a = dy, b = w, c = dx      dx = the sum of dy w over all (u,v,o) through which y reads the element
// backward_weights:  a = x, b = dy, c = dw      dw[o,u,v,c] = sum_{n,i,j} dy[n,i,j,o] x[n, ...]
// Sums run over K = KH*KW*C/groups, KH*KW*O/groups and N*OH*OW terms; the bounds above hold for these.
enum class ConvPass : uint8_t { forward, backward_data, backward_weights };
struct ConvKey {
  ConvPass pass;
  ConvShape shape;
  DType a, b, c;
  Accumulator accumulator = {};
  Levels levels_a = Levels::any, levels_b = Levels::any;
  int64_t terms() const;  // of the longest sum
  bool is_modelled() const;
  auto operator<=>(const ConvKey&) const = default;
};
using ConvRun = void(const ConvKey&, const void* a, const void* b, void* c);
using ConvReady = std::function<void(const void* a, void* c)>;  // a convolution that holds its weights, packed
struct ConvRow : KernelRow<ConvKey, ConvRun> {
  ConvReady (*ready)(const ConvKey&, const void* b) = nullptr;  // of the passes with weights; null: nothing to prepare
};
std::span<const ConvRow> conv2d_rows();
void conv2d(const ConvKey& key, const void* a, const void* b, void* c);

// The same convolution again and again, with weights b that are packed once: what loops over blocks of images run. It works on
// the thread that calls it alone, and may be called from many threads at a time. b must outlive it. Not for backward_weights.
class ConvPlan {
 public:
  ConvPlan(const ConvKey& key, const void* b);
  void run(const void* a, void* c) const;

 private:
  const ConvRow* row_;
  ConvReady ready_;
  ConvKey key_;
};

// Runs extreme operands through every integer row that is available and compares with the reference: matmul() and conv2d() never
// choose a row that saturates or differs. Done once, by the first integer product or by `check`, which prints one line per row;
// "" = exact, "not checked: ..." = not available here.
struct RowCheck {
  std::string_view family, row;
  std::string outcome;
};
std::span<const RowCheck> check_integer_rows();

}  // namespace lp

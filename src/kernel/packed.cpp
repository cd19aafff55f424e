// Planes of bits made from codes in bytes, and unpacked panel by panel.
#include "lptrain/kernel/packed.h"

#include <algorithm>
#include <cstring>

#include "bytes.h"
#include "few_rows.h"
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"
#include "product_types.h"
#include "scratch.h"

namespace lp {
namespace {

constexpr int64_t kPanelBytes = 1 << 18;  // of unpacked codes: they stay in the L2 cache, with the row's own copy of them
constexpr int64_t kColumns = 32;          // a panel has a multiple of them, as rows like it

struct NoKey {};  // every row takes every call
constexpr KernelRow<NoKey, const BitLoops> kRows[] = {
#ifdef __x86_64__
    {"popcount", Backend::native, Isa::avx512_vpopcntdq, nullptr, &avx512_vpopcntdq::kBitLoops},
    {"popcount_avx2", Backend::native, Isa::avx2, nullptr, &avx2::kBitLoops},
#endif
    {"popcount_portable", Backend::reference, Isa::portable, nullptr, &portable::kBitLoops},
};

BitPlanes planes_at(const CodeWidth& width, int64_t k, const uint8_t* planes) {
  const int64_t stride = (k + 7) / 8;
  if (width.are_signs) return {planes, stride, 1, 1, -2};
  const int highest = 1 << (width.bits - 1);
  return {planes, stride, width.bits, 0, width.is_signed ? -highest : highest};
}

#ifdef __x86_64__
// Products of few rows, without unpacking to memory; false if that is not for this call or machine. The instruction wants rows of
// u8: those of i8 have 128 added, which a row of 128 takes out again.
bool multiplied_in_registers(const MatmulKey& key, const uint8_t* a, const CodeWidth& width, const uint8_t* planes, int32_t* c) {
  if (key.m > kFewRows || width.bits > kFewRowsBits || !available(Backend::native, Isa::avx512_vnni)) return false;
  const Timed timed("matmul", "few_rows");
  const bool corrected = key.a == DType::i8;
  const int64_t stride = (key.k + kFewRowsChunk - 1) / kFewRowsChunk * kFewRowsChunk, rows = key.m + corrected;
  const Scratch<uint8_t> own(rows * stride);
  std::memset(own.data(), 0, static_cast<size_t>(rows * stride));
  for (int64_t i = 0; i < key.m; ++i) flip_bytes(a + i * key.k, key.k, corrected ? kSignBit : 0, own.data() + i * stride);
  if (corrected) std::memset(own.data() + key.m * stride, kSignBit, static_cast<size_t>(key.k));
  const FewRows product{
      key.m, key.n, key.k, stride, corrected, own.data(), planes_at(width, key.k, planes), width.row_bytes(key.k), c};
  parallel_chunks(key.n, kColumns, [&](int64_t begin, int64_t end) { few_rows_vnni(product, begin, end); });
  return true;
}
#else
bool multiplied_in_registers(const MatmulKey&, const uint8_t*, const CodeWidth&, const uint8_t*, int32_t*) { return false; }
#endif

// c[m, columns] of a wider matrix = part[m, columns]
void copy_columns(int64_t m, int64_t columns, const int32_t* part, int64_t n, int32_t* c) {
  for (int64_t i = 0; i < m; ++i) std::copy_n(part + i * columns, columns, c + i * n);
}

}  // namespace

const BitLoops& bit_loops() { return *choose(std::span<const KernelRow<NoKey, const BitLoops>>(kRows), NoKey{}).run; }

void pack_codes(const CodeWidth& width, int64_t rows, int64_t k, const void* codes, uint8_t* planes) {
  const BitLoops& loops = bit_loops();
  const int64_t plane = (k + 7) / 8;
  parallel_for(rows, 16, [&](int64_t i) {
    for (int bit = 0; bit < width.bits; ++bit)
      loops.pack(static_cast<const uint8_t*>(codes) + i * k, k, width.are_signs ? 1 : bit,
                 planes + i * width.row_bytes(k) + bit * plane);
  });
}

void unpack_codes(const CodeWidth& width, int64_t rows, int64_t k, const uint8_t* planes, void* codes) {
  const BitLoops& loops = bit_loops();
  parallel_for(rows, 16, [&](int64_t i) {
    loops.unpack(planes_at(width, k, planes + i * width.row_bytes(k)), k, static_cast<uint8_t*>(codes) + i * k);
  });
}

void matmul_packed(const MatmulKey& key, const void* a, const CodeWidth& width, const uint8_t* planes, void* c) {
  require(is_byte(key.a) && is_byte(key.b) && key.transpose_b && !key.transpose_a && !key.accumulate,
          "a packed matrix product takes bytes, b transposed, and does not accumulate");
  if (key.m == 0 || key.n == 0) return;
  auto* sums = static_cast<int32_t*>(c);
  if (multiplied_in_registers(key, static_cast<const uint8_t*>(a), width, planes, sums)) return;
  const int64_t most = std::max<int64_t>(kPanelBytes / std::max<int64_t>(key.k, 1) / kColumns, 1) * kColumns;
  parallel_for((key.n + most - 1) / most, 1, [&](int64_t panel) {
    MatmulKey part = key;
    part.n = std::min(most, key.n - panel * most);
    const bool is_whole = part.n == key.n || key.m == 1;
    const Scratch<uint8_t> codes(part.n * key.k);
    const Scratch<int32_t> own(is_whole ? 0 : key.m * part.n);
    {
      const Timed timed("unpack");
      unpack_codes(width, part.n, key.k, planes + panel * most * width.row_bytes(key.k), codes.data());
    }
    matmul(part, a, codes.data(), is_whole ? sums + panel * most : own.data());
    if (!is_whole) copy_columns(key.m, part.n, own.data(), key.n, sums + panel * most);
  });
}

}  // namespace lp

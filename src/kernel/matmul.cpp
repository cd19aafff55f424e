// The table of matrix products, fastest row first, and the choice among them.
#include <algorithm>

#include "lptrain/base/error.h"
#include "lptrain/base/trace.h"
#include "popcount.h"
#include "product_types.h"
#include "row_check.h"
#include "rows.h"

namespace lp {
namespace {

constexpr MatmulRow kRows[] = {
#ifdef __x86_64__
    {"popcount", Backend::native, Isa::avx512_vpopcntdq, matmul_popcount_refuses, matmul_popcount<avx512_vpopcntdq::kBitLoops>},
#endif
#ifdef LPTRAIN_HAS_ONEDNN
    {"onednn", Backend::onednn, Isa::portable, matmul_onednn_refuses, matmul_onednn},
    {"onednn_i8", Backend::onednn, Isa::portable, matmul_onednn_i8_refuses, matmul_onednn_i8},
#endif
#ifdef __x86_64__
    {"vnni", Backend::native, Isa::avx512_vnni, matmul_vnni_refuses, matmul_vnni},
    {"split", Backend::native, Isa::avx512_vnni, matmul_split_refuses, matmul_split},
    {"popcount_avx2", Backend::native, Isa::avx2, matmul_popcount_refuses, matmul_popcount<avx2::kBitLoops>},
#endif
    {"popcount_portable", Backend::native, Isa::portable, matmul_popcount_refuses, matmul_popcount<portable::kBitLoops>},
    {"openblas", Backend::openblas, Isa::portable, matmul_openblas_refuses, matmul_openblas},
    {"widened", Backend::native, Isa::portable, matmul_widened_refuses, matmul_widened},
    {"portable", Backend::native, Isa::portable, matmul_portable_refuses, matmul_portable},
    {"reference", Backend::reference, Isa::portable, nullptr, matmul_reference},
};

constexpr bool serves_integers(std::string_view row) { return row != "onednn" && row != "openblas" && row != "portable"; }

std::vector<ExtremeCase<MatmulKey>> extreme_cases(bool is_words) {
  std::vector<ExtremeCase<MatmulKey>> cases;
  for (const auto [m, n, k] : {std::array<int64_t, 3>{5, 48, 1029}, std::array<int64_t, 3>{33, 17, 131}})
    for (const auto& [a, b] : integer_pairs(is_words))
      for (const auto [x, y] : kExtremePairs) {
        const DType c = *product_type(a.type, b.type);
        cases.push_back({{m, n, k, a.type, b.type, c, false, false, false, {}, a.levels, b.levels},
                         extreme_operand(a, m * k, x),
                         extreme_operand(b, k * n, y),
                         static_cast<size_t>(m * n * bytes_of(c))});
      }
  return cases;
}

const CheckedRows<MatmulRow>& checked(DType type) {
  static const auto bytes = check_rows(matmul_rows(), extreme_cases(false));
  if (type != DType::i16) return bytes;
  static const auto words =
      check_rows(matmul_rows(), extreme_cases(true));  // apart: rows for words may be made of those for bytes
  return words;
}

void validate(const MatmulKey& key) {
  require(product_type(key.a, key.b) == key.c, "there is no matrix product {} x {} -> {}", name_of(key.a), name_of(key.b),
          name_of(key.c));
  require(key.m >= 0 && key.n >= 0 && key.k >= 0, "a matrix product cannot have the sizes {} x {} x {}", key.m, key.n, key.k);
}

}  // namespace

std::span<const MatmulRow> matmul_rows() { return kRows; }

bool MatmulKey::is_modelled() const { return !accumulator.is_native() && (accumulate || !accumulator.holds_all(a, b, k)); }

void matmul(const MatmulKey& key, const void* a, const void* b, void* c) {
  validate(key);
  const bool is_for_last = key.m == 0 || key.n == 0 || key.k == 0 || key.is_modelled();
  const std::span<const MatmulRow> rows = is_integer_product(key.a) ? std::span(checked(key.a).exact) : matmul_rows();
  const MatmulRow& row = is_for_last ? rows.back() : choose(rows, key);
  const Timed timed("matmul", row.name);
  row.run(key, a, b, c);
}

std::span<const RowCheck> check_matmul_rows() {
  static const auto lines = lines_of<MatmulRow>("matmul", kRows, serves_integers, checked(DType::i8), checked(DType::i16));
  return lines;
}

}  // namespace lp

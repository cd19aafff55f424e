// The table of matrix products, fastest row first, and the choice among them.
#include <algorithm>

#include "lptrain/base/error.h"
#include "lptrain/base/trace.h"
#include "product_types.h"
#include "row_check.h"
#include "rows.h"

namespace lp {
namespace {

constexpr MatmulRow kRows[] = {
#ifdef LPTRAIN_HAS_ONEDNN
    {"onednn", Backend::onednn, Isa::portable, matmul_onednn_refuses, matmul_onednn},
    {"onednn_i8", Backend::onednn, Isa::portable, matmul_onednn_i8_refuses, matmul_onednn_i8},
#endif
#ifdef __x86_64__
    {"vnni", Backend::native, Isa::avx512_vnni, matmul_vnni_refuses, matmul_vnni},
#endif
    {"openblas", Backend::openblas, Isa::portable, matmul_openblas_refuses, matmul_openblas},
    {"widened", Backend::native, Isa::portable, matmul_widened_refuses, matmul_widened},
    {"portable", Backend::native, Isa::portable, matmul_portable_refuses, matmul_portable},
    {"reference", Backend::reference, Isa::portable, nullptr, matmul_reference},
};

constexpr bool serves_integers(std::string_view row) { return row != "onednn" && row != "openblas" && row != "portable"; }

std::vector<ExtremeCase<MatmulKey>> extreme_cases() {
  std::vector<ExtremeCase<MatmulKey>> cases;
  for (const auto [m, n, k] : {std::array<int64_t, 3>{5, 48, 1029}, std::array<int64_t, 3>{33, 17, 131}})
    for (const auto& [a, b] : {std::pair{DType::u8, DType::i8},
                               {DType::i8, DType::i8},
                               {DType::i8, DType::u8},
                               {DType::u8, DType::u8},
                               {DType::i16, DType::i16}})
      for (const auto [x, y] : kExtremePairs) {
        const DType c = *product_type(a, b);
        cases.push_back({{m, n, k, a, b, c},
                         extreme_operand(a, m * k, x),
                         extreme_operand(b, k * n, y),
                         static_cast<size_t>(m * n * bytes_of(c))});
      }
  return cases;
}

const CheckedRows<MatmulRow>& checked() {
  static const auto rows = check_rows(matmul_rows(), extreme_cases());
  return rows;
}

void validate(const MatmulKey& key) {
  require(product_type(key.a, key.b) == key.c, "there is no matrix product {} x {} -> {}", name_of(key.a), name_of(key.b),
          name_of(key.c));
  require(key.m >= 0 && key.n >= 0 && key.k >= 0, "a matrix product cannot have the sizes {} x {} x {}", key.m, key.n, key.k);
}

}  // namespace

std::span<const MatmulRow> matmul_rows() { return kRows; }

void matmul(const MatmulKey& key, const void* a, const void* b, void* c) {
  validate(key);
  const bool empty = key.m == 0 || key.n == 0 || key.k == 0;
  const std::span<const MatmulRow> rows = is_integer_product(key.a) ? std::span(checked().exact) : matmul_rows();
  const MatmulRow& row = empty ? rows.back() : choose(rows, key);
  const Timed timed("matmul", row.name);
  row.run(key, a, b, c);
}

std::span<const RowCheck> check_matmul_rows() {
  static const std::vector<RowCheck> lines = [] {
    std::vector<RowCheck> made;
    for (size_t i = 0; i < std::size(kRows); ++i)
      if (serves_integers(kRows[i].name)) made.push_back({"matmul", kRows[i].name, checked().outcome[i]});
    return made;
  }();
  return lines;
}

}  // namespace lp

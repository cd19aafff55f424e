// The table of convolutions, fastest row first, and the choice among them.
#include <algorithm>

#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"
#include "popcount.h"
#include "product_types.h"
#include "row_check.h"
#include "rows.h"

namespace lp {
namespace {

const ConvRow kRows[] = {
#ifdef __x86_64__
    {"popcount", Backend::native, Isa::avx512_vpopcntdq, conv2d_popcount_refuses, conv2d_popcount<avx512_vpopcntdq::kBitLoops>,
     conv2d_popcount_ready<avx512_vpopcntdq::kBitLoops>},
#endif
#ifdef LPTRAIN_HAS_ONEDNN
    {"onednn", Backend::onednn, Isa::portable, conv2d_onednn_refuses, conv2d_onednn, conv2d_onednn_ready},
    {"onednn_i8", Backend::onednn, Isa::portable, conv2d_onednn_i8_refuses, conv2d_onednn_i8, conv2d_onednn_ready},
#endif
#ifdef __x86_64__
    {"vnni", Backend::native, Isa::avx512_vnni, conv2d_vnni_refuses, conv2d_vnni, conv2d_vnni_ready},
    {"split", Backend::native, Isa::avx512_vnni, conv2d_split_refuses, conv2d_split, conv2d_split_ready},
    {"popcount_avx2", Backend::native, Isa::avx2, conv2d_popcount_refuses, conv2d_popcount<avx2::kBitLoops>,
     conv2d_popcount_ready<avx2::kBitLoops>},
#endif
    {"popcount_portable", Backend::native, Isa::portable, conv2d_popcount_refuses, conv2d_popcount<portable::kBitLoops>,
     conv2d_popcount_ready<portable::kBitLoops>},
    {"widened", Backend::native, Isa::portable, conv2d_widened_refuses, conv2d_widened, conv2d_widened_ready},
    {"im2col", Backend::native, Isa::portable, conv2d_im2col_refuses, conv2d_im2col},
    {"reference", Backend::reference, Isa::portable, nullptr, conv2d_reference},
};

constexpr std::string_view kFamilies[] = {"conv2d", "conv2d dx", "conv2d dw"};  // by pass: names of spans

constexpr bool serves_integers(std::string_view row) { return row != "onednn" && row != "widened"; }

ExtremeCase<ConvKey> extreme_case(const ConvShape& s, ConvPass pass, const Integers& a, const Integers& b,
                                  std::array<Extreme, 2> which) {
  const ConvKey key{pass, s, a.type, b.type, *product_type(a.type, b.type), {}, a.levels, b.levels};
  return {key, extreme_operand(a, size_a(key), which[0]), extreme_operand(b, size_b(key), which[1]),
          static_cast<size_t>(size_c(key) * bytes_of(key.c))};
}

std::vector<ExtremeCase<ConvKey>> extreme_cases(bool is_words) {
  static constexpr ConvShape same{.N = 1, .H = 6, .W = 7, .C = 20, .O = 24, .KH = 3, .KW = 3, .pad_h = 1, .pad_w = 1};
  static constexpr ConvShape halving{
      .N = 2, .H = 8, .W = 7, .C = 16, .O = 16, .KH = 3, .KW = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1};
  std::vector<ExtremeCase<ConvKey>> cases;
  for (const ConvShape& s : {same, halving})
    for (const auto pass : {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights})
      for (const auto& [a, b] : integer_pairs(is_words))
        for (const auto& which : kExtremePairs) cases.push_back(extreme_case(s, pass, a, b, which));
  return cases;
}

const CheckedRows<ConvRow>& checked(DType type) {
  static const auto bytes = check_rows(conv2d_rows(), extreme_cases(false));
  if (type != DType::i16) return bytes;
  static const auto words =
      check_rows(conv2d_rows(), extreme_cases(true));  // apart: rows for words may be made of those for bytes
  return words;
}

void validate(const ConvKey& key) {
  const ConvShape& s = key.shape;
  require(product_type(key.a, key.b) == key.c, "there is no convolution {} x {} -> {}", name_of(key.a), name_of(key.b),
          name_of(key.c));
  require(s.N >= 0 &&
              std::min({s.H, s.W, s.C, s.O, s.KH, s.KW, s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.groups}) > 0 &&
              std::min(s.pad_h, s.pad_w) >= 0,
          "a convolution's sizes, strides, dilations and groups are positive, its padding is not negative");
  require(s.C % s.groups == 0 && s.O % s.groups == 0, "{} groups divide neither {} input channels nor {} output channels evenly",
          s.groups, s.C, s.O);
  require(s.H + 2 * s.pad_h > s.dilation_h * (s.KH - 1) && s.W + 2 * s.pad_w > s.dilation_w * (s.KW - 1),
          "a {} x {} filter does not fit a {} x {} image padded by {} and {}", s.KH, s.KW, s.H, s.W, s.pad_h, s.pad_w);
}

const ConvRow& chosen(const ConvKey& key) {
  validate(key);
  const std::span<const ConvRow> rows = is_integer_product(key.a) ? std::span(checked(key.a).exact) : conv2d_rows();
  return key.shape.N == 0 || key.is_modelled() ? rows.back() : choose(rows, key);
}

}  // namespace

int64_t ConvKey::terms() const {
  switch (pass) {
    case ConvPass::forward: return shape.KH * shape.KW * shape.C / shape.groups;
    case ConvPass::backward_data: return shape.KH * shape.KW * shape.O / shape.groups;
    case ConvPass::backward_weights: break;
  }
  return shape.N * shape.OH() * shape.OW();
}
bool ConvKey::is_modelled() const { return !accumulator.is_native() && !accumulator.holds_all(a, b, terms()); }

std::span<const ConvRow> conv2d_rows() { return kRows; }

void conv2d(const ConvKey& key, const void* a, const void* b, void* c) {
  const ConvRow& row = chosen(key);
  const Timed timed(kFamilies[static_cast<size_t>(key.pass)], row.name);
  row.run(key, a, b, c);
}

ConvPlan::ConvPlan(const ConvKey& key, const void* b) : key_(key) {
  const Alone alone;
  row_ = &chosen(key);
  ready_ = row_->ready ? row_->ready(key, b) : [row = row_, key, b](const void* a, void* c) { row->run(key, a, b, c); };
}

void ConvPlan::run(const void* a, void* c) const {
  const Alone alone;
  const Timed timed(kFamilies[static_cast<size_t>(key_.pass)], row_->name);
  ready_(a, c);
}

std::span<const RowCheck> check_conv2d_rows() {
  static const auto lines = lines_of<ConvRow>("conv2d", kRows, serves_integers, checked(DType::i8), checked(DType::i16));
  return lines;
}

}  // namespace lp

// Matrix products of oneDNN: f32 and bf16 as they are; bytes where it is exact.
#ifdef LPTRAIN_HAS_ONEDNN
#include "bytes.h"
#include "onednn.h"
#include "product_types.h"
#include "rows.h"
#include "scratch.h"

namespace lp {
namespace {

using Made = onednn::Cache<MatmulKey>::Made;

constexpr int64_t kExactInFloat = 514;  // 255 * 128 * 514 < 2^24

dnnl::memory::desc matrix(int64_t rows, int64_t columns, DType type, bool transposed) {
  using Tag = dnnl::memory::format_tag;
  return {{rows, columns}, onednn::type_of(type), transposed ? Tag::ba : Tag::ab};
}

Made make(const MatmulKey& key) {
  const auto a = matrix(key.m, key.k, key.a, key.transpose_a), b = matrix(key.k, key.n, key.b, key.transpose_b);
  const auto c = matrix(key.m, key.n, key.c, false);
  auto attributes = onednn::user_scratchpad();
  if (key.accumulate) {
    dnnl::post_ops add;
    add.append_sum();
    attributes.set_post_ops(add);
  }
  const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(a, b, c), attributes, onednn::engine());
  if (onednn::is_slow(chosen.impl_info_str())) return nullptr;
  return std::make_shared<onednn::Product>(dnnl::matmul(chosen), chosen.scratchpad_desc(), onednn::Operand{DNNL_ARG_SRC, a, a},
                                           onednn::Operand{DNNL_ARG_WEIGHTS, b, b}, onednn::Operand{DNNL_ARG_DST, c, c});
}

Made product_of(const MatmulKey& key) {
  static onednn::Cache<MatmulKey> cache;
  return cache.find(key, make);
}

// oneDNN is slow on transposed bytes: it sees them as they should be.
MatmulKey straight(MatmulKey key) {
  key.transpose_a = false;
  return key;
}

const char* refuses(const MatmulKey& key) { return product_of(key) ? nullptr : "oneDNN has no fast kernel for it"; }

}  // namespace

const char* matmul_onednn_refuses(const MatmulKey& key) {
  if (key.a != DType::f32 && key.a != DType::bf16) return "takes f32 and bf16";
  if (key.a == DType::bf16 && !available(Backend::onednn, Isa::avx512_bf16)) return "bf16 needs avx512_bf16";
  if (key.m == 0 || key.n == 0 || key.k == 0) return "takes no empty matrices";
  return refuses(key);
}

void matmul_onednn(const MatmulKey& key, const void* a, const void* b, void* c) { product_of(key)->run(a, b, c); }

const char* matmul_onednn_i8_refuses(const MatmulKey& key) {
  if (!is_byte(key.a)) return "takes i8 and u8";
  if (!onednn::has_vnni()) return "oneDNN saturates without VNNI";
  if (key.b != DType::i8) return "oneDNN takes i8 on the right only";
  if (key.accumulate) return "oneDNN adds to integers in f32";
  if (key.a == DType::i8 && key.k > kExactInFloat) return "oneDNN corrects signed bytes in f32: needs K <= 514";
  if (key.m == 0 || key.n == 0 || key.k == 0) return "takes no empty matrices";
  return refuses(straight(key));
}

void matmul_onednn_i8(const MatmulKey& key, const void* a, const void* b, void* c) {
  const Scratch<uint8_t> rows(key.transpose_a ? key.m * key.k : 0);
  if (key.transpose_a) transpose_bytes(key.k, key.m, static_cast<const uint8_t*>(a), rows.data());
  product_of(straight(key))->run(key.transpose_a ? rows.data() : a, b, c);
}

}  // namespace lp
#endif

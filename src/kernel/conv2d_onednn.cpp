// Convolutions of oneDNN on NHWC arrays: f32 and bf16 in all three passes; bytes forward, and backward to the data as a
// deconvolution.
#ifdef LPTRAIN_HAS_ONEDNN
#include <algorithm>
#include <vector>

#include "onednn.h"
#include "product_types.h"
#include "rows.h"

namespace lp {
namespace {

using dnnl::memory;
using onednn::Operand;
using Made = onednn::Cache<ConvKey>::Made;
using Tag = memory::format_tag;
constexpr int64_t kExactInFloat = 514;  // 255 * 128 * 514 < 2^24

using Window = memory::dims;  // two numbers: rows, columns

// What every pass says about its window.
struct Geometry {
  explicit Geometry(const ConvShape& s)
      : stride{s.stride_h, s.stride_w}, dilation{s.dilation_h - 1, s.dilation_w - 1}, pad{s.pad_h, s.pad_w} {}
  Window stride, dilation, pad;
};

memory::desc images(int64_t N, int64_t H, int64_t W, int64_t C, DType type) {
  return {{N, C, H, W}, onednn::type_of(type), Tag::nhwc};
}
memory::desc x_of(const ConvShape& s, DType type) { return images(s.N, s.H, s.W, s.C, type); }
memory::desc y_of(const ConvShape& s, DType type) { return images(s.N, s.OH(), s.OW(), s.O, type); }

memory::desc w_of(const ConvShape& s, DType type) {
  if (s.groups == 1) return {{s.O, s.C, s.KH, s.KW}, onednn::type_of(type), Tag::ohwi};
  return {{s.groups, s.O / s.groups, s.C / s.groups, s.KH, s.KW}, onednn::type_of(type), Tag::gohwi};
}

// The same weights as a deconvolution sees them: its outputs are our inputs.
memory::desc w_swapped(const ConvShape& s, DType type) {
  const int64_t C = s.C / s.groups, O = s.O / s.groups, filter = s.KH * s.KW * C;
  if (s.groups == 1) return {{C, O, s.KH, s.KW}, onednn::type_of(type), {1, filter, s.KW * C, C}};
  return {{s.groups, C, O, s.KH, s.KW}, onednn::type_of(type), {O * filter, 1, filter, s.KW * C, C}};
}

memory::desc any(const memory::desc& plain) { return {plain.dims(), plain.data_type(), Tag::any}; }

template <class Primitive, class Chosen>
Made product(const Chosen& chosen, const Operand& a, const Operand& b, const Operand& c) {
  if (onednn::is_slow(chosen.impl_info_str())) return nullptr;
  return std::make_shared<onednn::Product>(Primitive(chosen), chosen.scratchpad_desc(), a, b, c);
}

dnnl::convolution_forward::primitive_desc forward_of(const ConvKey& key, DType x, DType w, DType y) {
  using Forward = dnnl::convolution_forward;
  const Geometry g(key.shape);
  const Forward::desc what(dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, x_of(key.shape, x),
                           any(w_of(key.shape, w)), y_of(key.shape, y), g.stride, g.dilation, g.pad, g.pad);
  return {what, onednn::user_scratchpad(), onednn::engine()};
}

Made make_forward(const ConvKey& key) {
  const auto chosen = forward_of(key, key.a, key.b, key.c);
  const auto x = x_of(key.shape, key.a), y = y_of(key.shape, key.c);
  return product<dnnl::convolution_forward>(
      chosen, {DNNL_ARG_SRC, x, x}, {DNNL_ARG_WEIGHTS, w_of(key.shape, key.b), chosen.weights_desc()}, {DNNL_ARG_DST, y, y});
}

Made make_backward_data(const ConvKey& key) {
  using Backward = dnnl::convolution_backward_data;
  const Geometry g(key.shape);
  const auto dx = x_of(key.shape, key.c), dy = y_of(key.shape, key.a), w = w_of(key.shape, key.b);
  const Backward::desc what(dnnl::algorithm::convolution_direct, dx, any(w), dy, g.stride, g.dilation, g.pad, g.pad);
  const Backward::primitive_desc chosen(what, onednn::user_scratchpad(), onednn::engine(), forward_of(key, key.a, key.a, key.a));
  return product<Backward>(chosen, {DNNL_ARG_DIFF_DST, dy, dy}, {DNNL_ARG_WEIGHTS, w, chosen.weights_desc()},
                           {DNNL_ARG_DIFF_SRC, dx, dx});
}

Made make_backward_weights(const ConvKey& key) {
  using Backward = dnnl::convolution_backward_weights;
  const Geometry g(key.shape);
  const auto x = x_of(key.shape, key.a), dy = y_of(key.shape, key.b), dw = w_of(key.shape, key.c);
  const Backward::desc what(dnnl::algorithm::convolution_direct, x, any(dw), dy, g.stride, g.dilation, g.pad, g.pad);
  const Backward::primitive_desc chosen(what, onednn::user_scratchpad(), onednn::engine(), forward_of(key, key.a, key.a, key.a));
  return product<Backward>(chosen, {DNNL_ARG_SRC, x, x}, {DNNL_ARG_DIFF_DST, dy, dy},
                           {DNNL_ARG_DIFF_WEIGHTS, dw, chosen.diff_weights_desc()});
}

Made make_deconvolution(const ConvKey& key) {
  using Forward = dnnl::deconvolution_forward;
  const Geometry g(key.shape);
  const auto dx = x_of(key.shape, key.c), dy = y_of(key.shape, key.a), w = w_swapped(key.shape, key.b);
  const Forward::desc what(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, dy, any(w), dx, g.stride,
                           g.dilation, g.pad, g.pad);
  const Forward::primitive_desc chosen(what, onednn::user_scratchpad(), onednn::engine());
  return product<Forward>(chosen, {DNNL_ARG_SRC, dy, dy}, {DNNL_ARG_WEIGHTS, w, chosen.weights_desc()}, {DNNL_ARG_DST, dx, dx});
}

Made make(const ConvKey& key) {
  switch (key.pass) {
    case ConvPass::forward: return make_forward(key);
    case ConvPass::backward_data: return is_byte(key.a) ? make_deconvolution(key) : make_backward_data(key);
    case ConvPass::backward_weights: return make_backward_weights(key);
  }
  return nullptr;
}

Made product_of(const ConvKey& key) {
  static onednn::Cache<ConvKey> cache;
  return cache.find(key, make);
}

const char* refuses(const ConvKey& key) { return product_of(key) ? nullptr : "oneDNN has no fast kernel for it"; }

}  // namespace

const char* conv2d_onednn_refuses(const ConvKey& key) {
  if (key.a != DType::f32 && key.a != DType::bf16) return "takes f32 and bf16";
  if (key.a == DType::bf16 && !available(Backend::onednn, Isa::avx512_bf16)) return "bf16 needs avx512_bf16";
  return refuses(key);
}

const char* conv2d_onednn_i8_refuses(const ConvKey& key) {
  if (!is_byte(key.a)) return "takes i8 and u8";
  if (key.pass == ConvPass::backward_weights) return "oneDNN has no byte kernel for weight gradients";
  if (key.b != DType::i8) return "oneDNN takes i8 weights only";
  const bool forward = key.pass == ConvPass::forward;
  if (!forward && std::max(key.shape.stride_h, key.shape.stride_w) > 1)
    return "oneDNN leaves results without terms undefined: needs stride 1";
  if (!onednn::has_vnni()) return "oneDNN saturates without VNNI";
  if (key.shape.KH * key.shape.KW * (forward ? key.shape.C : key.shape.O) / key.shape.groups > kExactInFloat)
    return "oneDNN scales and corrects its sums in f32: needs K <= 514";
  return refuses(key);
}

void conv2d_onednn(const ConvKey& key, const void* a, const void* b, void* c) { product_of(key)->run(a, b, c); }
void conv2d_onednn_i8(const ConvKey& key, const void* a, const void* b, void* c) { product_of(key)->run(a, b, c); }

ConvReady conv2d_onednn_ready(const ConvKey& key, const void* b) {
  const Made product = product_of(key);
  const auto packed = std::make_shared<std::vector<char>>(static_cast<size_t>(product->packed_bytes()));
  product->pack(b, packed->data());
  return [product, packed](const void* a, void* c) { product->run_packed(a, packed->data(), c); };
}

}  // namespace lp
#endif

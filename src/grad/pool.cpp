// Pooling of NHWC images.
#include "lptrain/kernel/pool.h"

#include "lptrain/grad/ops.h"

namespace lp {
namespace {

PoolShape pool_shape(const Var& x, const Pool2d& how, const char* what) {
  require(x.value && x.shape().rank() == 4, "{}: x is {}, expected [N,H,W,C]", what, x.value ? x.shape().text() : "empty");
  require(how.kernel_h >= 1 && how.kernel_w >= 1 && how.stride_h >= 1 && how.stride_w >= 1,
          "{}: kernel {}x{} and stride {}x{} must be at least 1", what, how.kernel_h, how.kernel_w, how.stride_h, how.stride_w);
  require(how.pad_h >= 0 && how.pad_w >= 0 && how.pad_h <= how.kernel_h / 2 && how.pad_w <= how.kernel_w / 2,
          "{}: padding {}x{} must be within 0 and half the kernel {}x{}", what, how.pad_h, how.pad_w, how.kernel_h, how.kernel_w);
  const Shape& s = x.shape();
  require(s[1] + 2 * how.pad_h >= how.kernel_h && s[2] + 2 * how.pad_w >= how.kernel_w,
          "{}: kernel {}x{} is larger than x {} with padding {}x{}", what, how.kernel_h, how.kernel_w, s.text(), how.pad_h,
          how.pad_w);
  return {s[0], s[1], s[2], s[3], how.kernel_h, how.kernel_w, how.stride_h, how.stride_w, how.pad_h, how.pad_w};
}

Shape pooled(const PoolShape& p) { return {p.N, p.OH(), p.OW(), p.C}; }
Shape image(const PoolShape& p) { return {p.N, p.H, p.W, p.C}; }

// The maxima of a tensor of reals or small codes, and where they were (null: not wanted).
Tensor maxima(const PoolShape& p, const Tensor& x, uint8_t* where) {
  Tensor y(pooled(p), x.dtype());
  const auto run = [&]<class T>() { max_pool(p, x.data<T>().data(), y.data<T>().data(), where); };
  if (x.dtype() == DType::i8)
    run.template operator()<int8_t>();
  else if (x.dtype() == DType::u8)
    run.template operator()<uint8_t>();
  else if (x.dtype() == DType::i16)
    run.template operator()<int16_t>();
  else
    visit_real(x.dtype(), run);
  return y;
}

// Codes that are ordered as their reals and have a kernel.
bool has_ordered_codes(const Value& x) {
  const Codes* c = x.codes();
  return c && (c->format.is_integer_grid() || c->format.family == Format::Family::Binary) && c->codes.dtype() != DType::i32;
}

}  // namespace

Var max_pool2d(const Var& x, const Pool2d& how) {
  const PoolShape p = pool_shape(x, how, "max_pool2d");
  require(how.kernel_h * how.kernel_w <= 256, "max_pool2d: kernel {}x{} has more than 256 elements", how.kernel_h, how.kernel_w);
  Tensor where;
  if (!x.is_constant()) where = Tensor(pooled(p), DType::u8);
  uint8_t* const places = where ? where.data<uint8_t>().data() : nullptr;
  const Value y =
      (has_ordered_codes(x.value) ? x.value : x.value.reals()).moved([&](const Tensor& t) { return maxima(p, t, places); });
  return record(y, {{x, [p, where](const Value& dy) {
                       Tensor dx(image(p), dy.dtype());
                       visit_real(dx.dtype(), [&]<class T>() {
                         max_pool_backward(p, dy.tensor().data<T>().data(), where.data<uint8_t>().data(), dx.data<T>().data());
                       });
                       return dx;
                     }}});
}

Var avg_pool2d(const Var& x, const Pool2d& how) {
  const PoolShape p = pool_shape(x, how, "avg_pool2d");
  Tensor y(pooled(p), x.value.dtype());
  visit_real(y.dtype(), [&]<class T>() { average_pool(p, x.tensor().data<T>().data(), y.data<T>().data()); });
  return record(y, {{x, [p](const Value& dy) {
                       Tensor dx(image(p), dy.dtype());
                       visit_real(dx.dtype(), [&]<class T>() {
                         average_pool_backward(p, dy.tensor().data<T>().data(), dx.data<T>().data());
                       });
                       return dx;
                     }}});
}

Var global_avg_pool(const Var& x) {
  require(x.value && x.shape().rank() == 4, "global_avg_pool: x is {}, expected [N,H,W,C]", x.value ? x.shape().text() : "empty");
  const Shape& s = x.shape();
  return reshape(avg_pool2d(x, {.kernel_h = s[1], .kernel_w = s[2], .stride_h = 1, .stride_w = 1}), {s[0], s[3]});
}

}  // namespace lp

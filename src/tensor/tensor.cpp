// Tensor handles: making, sharing and copying them.
#include "lptrain/tensor/tensor.h"

#include <algorithm>

namespace lp {

Tensor::Tensor(Shape shape, DType type) : shape_(shape), dtype_(type) {
  int64_t bytes = 0;
  require(!__builtin_mul_overflow(shape.size(), int64_t{bytes_of(type)}, &bytes), "a tensor {} of {} is too large", shape.text(),
          name_of(type));
  storage_ = Storage::allocate(bytes);
}

Tensor Tensor::zeros(Shape shape, DType type) {
  Tensor t(shape, type);
  std::memset(t.raw(), 0, static_cast<size_t>(t.bytes()));
  return t;
}

Tensor Tensor::full(Shape shape, double value, DType type) {
  Tensor t(shape, type);
  visit_real(type, [&]<class T>() { std::ranges::fill(t.data<T>(), static_cast<T>(value)); });
  return t;
}

double Tensor::item() const {
  require(size() == 1, "expected a single element, found {}", shape_.text());
  return visit_real(dtype_, [&]<class T>() -> double { return data<T>()[0]; });
}

Tensor Tensor::reshape(Shape shape) const {
  require(shape.size() == size(), "reshape: {} has {} elements, {} has {}", shape_.text(), size(), shape.text(), shape.size());
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  require(shape_.rank() > 0 && 0 <= begin && begin <= end && end <= shape_[0], "rows {}..{} of {}", begin, end, shape_.text());
  Tensor t = *this;
  t.shape_ = shape_.with(0, end - begin);
  t.offset_ += begin * shape_.after(0) * bytes_of(dtype_);
  return t;
}

Tensor Tensor::clone() const {
  Tensor t(shape_, dtype_);
  std::memcpy(t.raw(), raw(), static_cast<size_t>(bytes()));
  return t;
}

void Tensor::check(size_t element_bytes) const {
  if (static_cast<int>(element_bytes) != bytes_of(dtype_))
    fail(ErrorKind::failure, "a {} tensor read as {}-byte elements", name_of(dtype_), element_bytes);
}

}  // namespace lp

// A tensor: a cheap handle on shape, type and shared, contiguous, row-major bytes. No strides: what a layout change costs is
// always visible as an op.
#pragma once
#include <cstring>
#include <memory>
#include <span>

#include "lptrain/number/dtype.h"
#include "lptrain/tensor/shape.h"

namespace lp {

// Bytes and where they live. Freed blocks are kept for the next tensor of the same size class, so that after the first training
// step nothing is asked of the system. Only `tensor` and `kernel` touch raw memory.
class Storage {
 public:
  static std::shared_ptr<Storage> allocate(
      int64_t bytes);  // 64-byte aligned, contents undefined; throws Error(failure) when memory is out
  ~Storage();
  Storage(const Storage&) = delete;
  std::byte* bytes() const { return bytes_; }
  int64_t size() const { return size_; }

 private:
  Storage(std::byte* bytes, int64_t size) : bytes_(bytes), size_(size) {}
  std::byte* bytes_;
  int64_t size_;
};

struct MemoryUse {
  int64_t live_bytes;    // held by tensors now
  int64_t peak_bytes;    // most ever held by tensors
  int64_t system_bytes;  // asked of the system (live + kept for reuse)
  int64_t system_requests;
};
MemoryUse memory_use();
void reset_peak();  // peak := live

class Tensor {
 public:
  Tensor() = default;                                     // no tensor at all
  explicit Tensor(Shape shape, DType type = DType::f32);  // contents undefined
  template <class T>
  static Tensor of(Shape shape, std::initializer_list<T> values);  // a copy of the values
  template <class T>
  static Tensor of(Shape shape, std::span<const T> values);
  static Tensor zeros(Shape shape, DType type = DType::f32);
  static Tensor full(Shape shape, double value, DType type = DType::f32);  // f32 or f64

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t size() const { return shape_.size(); }
  DType dtype() const { return dtype_; }
  int64_t bytes() const { return size() * bytes_of(dtype_); }

  // The elements. T must be the C++ type of the dtype (uint16_t for f16 and bf16); anything else is a programmer's mistake
  // (throws).
  template <class T>
  std::span<T> data() {
    check(sizeof(T));
    return {reinterpret_cast<T*>(raw()), static_cast<size_t>(size())};
  }
  template <class T>
  std::span<const T> data() const {
    check(sizeof(T));
    return {reinterpret_cast<const T*>(raw()), static_cast<size_t>(size())};
  }
  void* raw() { return storage_ ? storage_->bytes() + offset_ : nullptr; }
  const void* raw() const { return storage_ ? storage_->bytes() + offset_ : nullptr; }
  double item() const;  // the only element, as a double

  Tensor reshape(Shape shape) const;                                // shares bytes; throws unless the sizes agree
  Tensor rows(int64_t begin, int64_t end) const;                    // elements begin..end-1 of axis 0; shares bytes
  Tensor clone() const;                                             // own bytes
  bool is_sole_owner() const { return storage_.use_count() == 1; }  // then its bytes may be reused in place

 private:
  void check(size_t element_bytes) const;
  std::shared_ptr<Storage> storage_;
  Shape shape_;
  DType dtype_ = DType::f32;
  int64_t offset_ = 0;  // in bytes
};

// x in another memory type. Reals to f16/bf16 round to nearest even (beyond the range: infinity); to integers round to nearest
// even and saturate.
Tensor convert(const Tensor& x, DType type);

template <class T>
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  Tensor t(shape, dtype_of<T>());
  require(static_cast<int64_t>(values.size()) == t.size(), "a tensor {} needs {} values, got {}", shape.text(), t.size(),
          values.size());
  std::memcpy(t.raw(), values.data(), values.size_bytes());
  return t;
}
template <class T>
Tensor Tensor::of(Shape shape, std::initializer_list<T> values) {
  return of<T>(shape, std::span<const T>(values.begin(), values.size()));
}

}  // namespace lp

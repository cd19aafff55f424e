// The extents of a tensor, held without a heap allocation.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "lptrain/base/error.h"

namespace lp {

// Up to kMaxRank extents, each >= 0; {} is a scalar. The product of the extents fits in int64_t (checked).
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) : Shape(extents.begin(), extents.size()) {}
  explicit Shape(const std::vector<int64_t>& extents) : Shape(extents.data(), extents.size()) {}
  Shape(const int64_t* extents, size_t rank);

  int rank() const { return rank_; }
  int64_t size() const;  // number of elements
  int64_t operator[](int axis) const { return extents_[static_cast<size_t>(axis < 0 ? axis + rank_ : axis)]; }
  int64_t back() const { return (*this)[-1]; }
  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }

  Shape with(int axis, int64_t extent) const;  // one extent replaced
  Shape without(int axis) const;               // one axis removed
  Shape dropped_front(int count) const;        // the last rank - count axes
  Shape behind(int64_t extent) const;          // one axis more, in front: a batch of examples of this shape
  int64_t rows() const;                        // product of all extents but the last: a tensor seen as [rows, back]
  int64_t before(int axis) const;              // product of the extents before an axis
  int64_t after(int axis) const;               // product of the extents after an axis
  std::string text() const;                    // "[64,28,28,1]"

  bool operator==(const Shape& o) const;

 private:
  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

// The axis 0..rank-1 meant by `axis` (negative counts from the end); throws Error(usage) naming `what`.
int checked_axis(const Shape& shape, int axis, const char* what);

// The shape of an element-wise result (NumPy's rules: aligned at the end, extents equal or 1); throws Error(usage) naming `what`.
Shape broadcast(const Shape& a, const Shape& b, const char* what);

}  // namespace lp

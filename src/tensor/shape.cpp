// Extents: counting, broadcasting, and saying them.
#include "lptrain/tensor/shape.h"

#include <algorithm>

namespace lp {

Shape::Shape(const int64_t* extents, size_t rank) {
  require(rank <= kMaxRank, "a shape has at most {} axes, got {}", kMaxRank, rank);
  rank_ = static_cast<int>(rank);
  std::copy_n(extents, rank, extents_.begin());
  int64_t size = 1;
  for (int64_t e : *this) {
    require(e >= 0 && !__builtin_mul_overflow(size, std::max<int64_t>(e, 1), &size), "impossible shape {}", text());
  }
}

int64_t Shape::size() const {
  int64_t n = 1;
  for (int64_t e : *this) n *= e;
  return n;
}

Shape Shape::with(int axis, int64_t extent) const {
  Shape s = *this;
  s.extents_[static_cast<size_t>(axis < 0 ? axis + rank_ : axis)] = extent;
  return s;
}

Shape Shape::without(int axis) const {
  Shape s;
  for (int i = 0; i < rank_; ++i)
    if (i != (axis < 0 ? axis + rank_ : axis)) s.extents_[static_cast<size_t>(s.rank_++)] = (*this)[i];
  return s;
}

Shape Shape::dropped_front(int count) const { return Shape(begin() + count, static_cast<size_t>(rank_ - count)); }
Shape Shape::behind(int64_t extent) const {
  std::vector<int64_t> extents{extent};
  extents.insert(extents.end(), begin(), end());
  return Shape(extents);
}

int64_t Shape::rows() const { return before(rank_ - 1); }

int64_t Shape::before(int axis) const {
  int64_t n = 1;
  for (int i = 0; i < axis; ++i) n *= (*this)[i];
  return n;
}

int64_t Shape::after(int axis) const {
  int64_t n = 1;
  for (int i = axis + 1; i < rank_; ++i) n *= (*this)[i];
  return n;
}

std::string Shape::text() const {
  std::string s = "[";
  for (int i = 0; i < rank_; ++i) s += (i ? "," : "") + std::to_string((*this)[i]);
  return s + "]";
}

bool Shape::operator==(const Shape& o) const { return rank_ == o.rank_ && std::equal(begin(), end(), o.begin()); }

int checked_axis(const Shape& shape, int axis, const char* what) {
  require(axis >= -shape.rank() && axis < shape.rank(), "{}: {} has no axis {}", what, shape.text(), axis);
  return axis < 0 ? axis + shape.rank() : axis;
}

Shape broadcast(const Shape& a, const Shape& b, const char* what) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape out = longer;
  for (int i = 1; i <= shorter.rank(); ++i) {
    const int64_t x = longer[-i], y = shorter[-i];
    require(x == y || x == 1 || y == 1, "{}: shapes {} and {} do not go together (extents must be equal or 1)", what, a.text(),
            b.text());
    out = out.with(-i, x == 1 ? y : x);
  }
  return out;
}

}  // namespace lp

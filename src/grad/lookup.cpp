// Rows of a table, and noise.
#include <vector>

#include "lptrain/grad/ops.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

void check_indices(const Shape& table, std::span<const int32_t> indices) {
  for (size_t i = 0; i < indices.size(); ++i)
    require(indices[i] >= 0 && indices[i] < table[0], "embedding: index {} at position {} is outside 0..{} (table {})",
            indices[i], i, table[0] - 1, table.text());
}

Tensor gathered(const Tensor& table, std::span<const int32_t> indices, const Shape& y_shape) {
  Tensor y(y_shape, table.dtype());
  const int64_t bytes = table.shape().back() * bytes_of(table.dtype());
  const auto* from = static_cast<const std::byte*>(table.raw());
  auto* to = static_cast<std::byte*>(y.raw());
  for (size_t i = 0; i < indices.size(); ++i)
    std::memcpy(to + static_cast<int64_t>(i) * bytes, from + indices[i] * bytes, static_cast<size_t>(bytes));
  return y;
}

// The transpose of gathering: row v is the sum of the rows of dy that came from it, in the order of the indices.
Tensor scattered(const Tensor& dy, std::span<const int32_t> indices, const Shape& table) {
  Tensor dx = Tensor::zeros(table, dy.dtype());
  const int64_t width = table.back();
  visit_real(dy.dtype(), [&]<class T>() {
    const T* from = dy.data<T>().data();
    T* to = dx.data<T>().data();
    for (size_t i = 0; i < indices.size(); ++i) {
      T* row = to + indices[i] * width;
      for (int64_t k = 0; k < width; ++k) row[k] += from[static_cast<int64_t>(i) * width + k];
    }
  });
  return dx;
}

// x times 0 or 1/(1 - rate); the same mask for the same key, so that backward keeps nothing. Indices of 32 bits let the loop be
// vectorized.
Tensor masked(const Tensor& x, double rate, Key noise) {
  Tensor y(x.shape(), x.dtype());
  const float threshold = static_cast<float>(rate);
  visit_real(x.dtype(), [&]<class T>() {
    const T kept = static_cast<T>(1 / (1 - rate));
    parallel_chunks(x.size(), kGrain, [=, from = x.data<T>().data(), to = y.data<T>().data()](int64_t begin, int64_t end) {
      const T* a = from + begin;
      T* b = to + begin;
      const uint32_t first = static_cast<uint32_t>(begin), n = static_cast<uint32_t>(end - begin);
      for (uint32_t i = 0; i < n; ++i) b[i] = a[i] * (noise.uniform(first + i) >= threshold ? kept : T(0));
    });
  });
  return y;
}

}  // namespace

Var embedding(const Var& table, std::span<const int32_t> indices, const Shape& shape) {
  require(table.value && table.shape().rank() == 2, "embedding: the table is {}, expected [V,D]",
          table.value ? table.shape().text() : "empty");
  require(shape.size() == static_cast<int64_t>(indices.size()), "embedding: {} indices do not fill {}", indices.size(),
          shape.text());
  check_indices(table.shape(), indices);
  std::vector<int64_t> extents(shape.begin(), shape.end());
  extents.push_back(table.shape()[1]);
  const Value y = table.value.moved([&](const Tensor& t) { return gathered(t, indices, Shape(extents)); });
  return record(y, {{table, [kept = std::vector<int32_t>(indices.begin(), indices.end()), from = table.shape()](const Value& dy) {
                       return scattered(dy.tensor(), kept, from);
                     }}});
}

Var dropout(const Var& x, double rate, Key noise) {
  require(bool(x.value), "dropout: the input is empty");
  require(rate >= 0 && rate < 1, "dropout: rate {} is outside 0 <= rate < 1", rate);
  require(x.value.size() >> 32 == 0, "dropout: x {} has 2^32 elements or more", x.shape().text());
  if (rate == 0) return x;
  return record(masked(x.tensor(), rate, noise),
                {{x, [rate, noise](const Value& dy) { return masked(dy.tensor(), rate, noise); }}});
}

}  // namespace lp

// An array as golden files write it: {"shape": [2, 3], "values": [...]}.
#pragma once
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/tensor/math.h"

namespace lp::test {

struct Numbers {
  std::vector<int64_t> shape;
  std::vector<double> values;
  void fields(Fields& f) {
    f("shape", shape, "extents");
    f("values", values, "row by row");
  }
  Tensor tensor(DType type = DType::f64) const {
    return convert(Tensor::of<double>(Shape(shape), std::span<const double>(values)), type);
  }
};

}  // namespace lp::test

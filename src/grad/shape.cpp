// Ops that move elements: the rule of each is its inverse or its transpose.
#include <cstring>
#include <memory>
#include <vector>

#include "lptrain/grad/ops.h"
#include "lptrain/tensor/math.h"

namespace lp {

Var reshape(const Var& x, const Shape& shape) {
  require(bool(x.value), "reshape: the input is empty");
  const Value y = x.value.moved([&](const Tensor& t) { return t.reshape(shape); });
  return record(
      y, {{x, [from = x.shape()](const Value& dy) { return dy.moved([&](const Tensor& t) { return t.reshape(from); }); }}});
}

Var permute(const Var& x, const std::vector<int>& order) {
  require(bool(x.value), "permute: the input is empty");
  const Value y = x.value.moved([&](const Tensor& t) { return permute(t, order); });
  std::vector<int> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<size_t>(checked_axis(x.shape(), order[i], "permute"))] = static_cast<int>(i);
  return record(y, {{x, [inverse](const Value& dy) { return dy.moved([&](const Tensor& t) { return permute(t, inverse); }); }}});
}

Var slice(const Var& x, int axis, int64_t begin, int64_t end, int64_t step) {
  require(bool(x.value), "slice: the input is empty");
  const Value y = x.value.moved([&](const Tensor& t) { return slice(t, axis, begin, end, step); });
  return record(y, {{x, [=, from = x.shape()](const Value& dy) { return place(dy.tensor(), from, axis, begin, step); }}});
}

Var concat(const std::vector<Var>& parts, int axis) {
  std::vector<Tensor> tensors;
  for (const Var& p : parts) {
    require(bool(p.value), "concat: part {} is empty", tensors.size());
    tensors.push_back(p.tensor());
  }
  const Tensor y = concat(tensors, axis);
  std::vector<Edge> edges;
  int64_t begin = 0;
  for (const Var& p : parts) {
    const int64_t end = begin + p.shape()[axis];
    edges.push_back({p, [=](const Value& dy) { return slice(dy.tensor(), axis, begin, end); }});
    begin = end;
  }
  return record(y, std::move(edges));
}

Var pad(const Var& x, int axis, int64_t before, int64_t after) {
  require(bool(x.value), "pad: the input is empty");
  require(before >= 0 && after >= 0, "pad: cannot add {} and {} zeros", before, after);
  const int a = checked_axis(x.shape(), axis, "pad");
  const int64_t extent = x.shape()[a];
  return record(place(x.tensor(), x.shape().with(a, before + extent + after), a, before, 1),
                {{x, [=](const Value& dy) { return slice(dy.tensor(), a, before, before + extent); }}});
}

// What the parts' rules pass back only says that they have been there; their gradients lie in `laid`, and the node before hands
// it on. So T parts cost one tensor of x's size, not T.
std::vector<Var> unstack(const Var& x) {
  require(x.value && x.shape().rank() >= 1, "unstack: x is {}, expected an axis to take apart",
          x.value ? x.shape().text() : "empty");
  const Shape whole = x.shape(), part = whole.dropped_front(1);
  const auto laid = std::make_shared<Tensor>();
  const Var before = record(x.value, {{x, [laid](const Value&) { return Value(std::move(*laid)); }}});
  std::vector<Var> parts;
  for (int64_t t = 0; t < whole[0]; ++t) {
    const auto rule = [laid, whole, t](const Value& dy) {
      if (!*laid) *laid = Tensor::zeros(whole, dy.dtype());
      std::memcpy(laid->rows(t, t + 1).raw(), dy.tensor().raw(), static_cast<size_t>(dy.tensor().bytes()));
      return Value(Tensor::zeros(Shape{}, dy.dtype()));
    };
    parts.push_back(record(x.value.moved([&](const Tensor& y) { return y.rows(t, t + 1).reshape(part); }), {{before, rule}}));
  }
  return parts;
}

}  // namespace lp

// Layers that move elements or cut some away. Axes are those of one example; the batch stays in front.
#include <algorithm>
#include <numeric>

#include "layers.h"

namespace lp {
namespace {

int64_t ceil_divide(int64_t n, int64_t d) { return (n + d - 1) / d; }

}  // namespace

void ReshapeLayer::fields(Fields& f) {
  f("shape", shape, "extents of one example; one may be -1: what is left", {1, Shape::kMaxRank - 1});
  f.claim(!shape.empty() && std::ranges::all_of(shape, [](int64_t n) { return n >= 1 || n == -1; }) &&
              std::ranges::count(shape, -1) <= 1,
          "\"shape\" wants extents of at least 1, and -1 at most once");
}

Shape ReshapeLayer::output(const Shape& input, int64_t) const {
  std::vector<int64_t> extents = shape;
  const auto open = std::ranges::find(extents, -1);
  if (open != extents.end()) *open = 1;
  const int64_t known = Shape(extents).size();
  if (open != extents.end() && known > 0) *open = input.size() / known;
  const Shape y(extents);
  require(y.size() == input.size(), "the input {} holds {} numbers, the shape wants {}", input.text(), input.size(), y.text());
  return y;
}

std::unique_ptr<Module> ReshapeLayer::build(Builder&, const std::string&, const Shape& input) const {
  return module_of([y = output(input, 0)](Context&, const Var& x) { return reshape(x, y.behind(x.shape()[0])); });
}

void PermuteLayer::fields(Fields& f) {
  f("order", order, "axis i of the result is axis order[i] of the input: [2,0,1] makes [C,H,W] of [H,W,C]",
    {1, Shape::kMaxRank - 1});
}

Shape PermuteLayer::output(const Shape& input, int64_t) const {
  std::vector<int> sorted = order, wanted(static_cast<size_t>(input.rank()));
  std::ranges::sort(sorted);
  std::iota(wanted.begin(), wanted.end(), 0);
  require(sorted == wanted, "\"order\" must hold each of the axes 0..{} of the input {} once", input.rank() - 1, input.text());
  std::vector<int64_t> extents;
  for (int axis : order) extents.push_back(input[axis]);
  return Shape(extents);
}

Var PermuteLayer::apply(const Var& x) const {
  std::vector<int> all{0};
  for (int axis : order) all.push_back(axis + 1);
  return permute(x, all);
}

void SliceLayer::fields(Fields& f) {
  f("axis", axis, "axis of one example", {0, Shape::kMaxRank - 2});
  f("begin", begin, "first index", {0, 1e9});
  f("end", end, "index behind the last; by default all", {0, 1e9});
  f("step", step, "from one index to the next", {1, 1e9});
}

Shape SliceLayer::output(const Shape& input, int64_t) const {
  require(axis < input.rank(), "the input {} has no axis {}", input.text(), axis);
  const int64_t stop = end.value_or(input[axis]);
  require(begin < stop && stop <= input[axis], "the input {} has no part {}..{} along axis {}", input.text(), begin, stop, axis);
  return input.with(axis, ceil_divide(stop - begin, step));
}

Var SliceLayer::apply(const Var& x) const { return slice(x, axis + 1, begin, end.value_or(x.shape()[axis + 1]), step); }

void SubsampleLayer::fields(Fields& f) {
  f("stride", stride, "step between the rows and columns that are kept");
  f.claim(stride.height() >= 1 && stride.width() >= 1, "\"stride\" must be at least 1");
}

Shape SubsampleLayer::output(const Shape& input, int64_t) const {
  require_image(input);
  return {ceil_divide(input[0], stride.height()), ceil_divide(input[1], stride.width()), input[2]};
}

Var SubsampleLayer::apply(const Var& x) const {
  return slice(slice(x, 1, 0, x.shape()[1], stride.height()), 2, 0, x.shape()[2], stride.width());
}

void PadChannelsLayer::fields(Fields& f) { f("to", to, "channels of the result", {1, 1e6}); }

Shape PadChannelsLayer::output(const Shape& input, int64_t) const {
  require(input.rank() >= 1 && input.back() <= to, "the input {} has more channels than \"to\": {}", input.text(), to);
  return input.with(-1, to);
}

}  // namespace lp

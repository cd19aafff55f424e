// The table of offsets.
#include <algorithm>

#include "scales.h"

namespace lp {
namespace {

template <class T>
struct OffsetRow : Offset {
  std::unique_ptr<Offset> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
};

Tensor mean_of(const Tensor& x, const Lanes& lanes) {
  Tensor mean(Shape{lanes.channels});
  parallel_for(lanes.channels, 1, [&](int64_t c) {
    double sum = 0;
    for (const double v : lane_of(x, lanes, c)) sum += v;
    mean.data<float>()[static_cast<size_t>(c)] =
        static_cast<float>(sum / static_cast<double>(std::max<int64_t>(1, lanes.outer * lanes.inner)));
  });
  return mean;
}

struct Ends {
  Tensor low, high;
};
Ends ends_of(const Tensor& x, const Lanes& lanes) {
  Ends e{Tensor(Shape{lanes.channels}), Tensor(Shape{lanes.channels})};
  minmax(lanes, x.dtype(), x.raw(), e.low.data<float>().data(), e.high.data<float>().data());
  return e;
}

struct Mean : OffsetRow<Mean> {
  Tensor measure(const Tensor& x, const Lanes& lanes) const override { return mean_of(x, lanes); }
};
struct Least : OffsetRow<Least> {
  Tensor measure(const Tensor& x, const Lanes& lanes) const override { return ends_of(x, lanes).low; }
};
struct Middle : OffsetRow<Middle> {
  Tensor measure(const Tensor& x, const Lanes& lanes) const override {
    const Ends e = ends_of(x, lanes);
    return zip(e.low, e.high, [](auto a, auto b) { return a / 2 + b / 2; });
  }
};
struct Given : OffsetRow<Given> {
  double value = 0;
  void fields(Fields& f) override { f("value", value, "the real that code 0 stands for", {-1e30, 1e30}); }
  Tensor measure(const Tensor&, const Lanes& lanes) const override { return Tensor::full(Shape{lanes.channels}, value); }
};
// Starts where the least element is the lowest real of the grid, as LSQ+ begins (Bhalgat et al. 2020, section 3.2).
struct Learned : OffsetRow<Learned> {
  bool learns() const override { return true; }
  Tensor measure(const Tensor& x, const Lanes& lanes) const override { return ends_of(x, lanes).low; }
};

constexpr ChoiceRow<Offset> kRows[] = {
    choice_row<Offset, Mean>("mean", "the mean of this very tensor (mean-bias quantization)"),
    choice_row<Offset, Least>("min", "its least number (min/max quantization, with an unsigned grid)"),
    choice_row<Offset, Middle>("middle", "halfway between its least and its greatest number"),
    choice_row<Offset, Given>("fixed", "a given number"),
    choice_row<Offset, Learned>("learned", "a trained parameter, the least number to begin with (LSQ+, Bhalgat et al. 2020)"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Offset>> choices<Offset>() {
  return kRows;
}

}  // namespace lp

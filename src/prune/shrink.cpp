// The table of proximal steps.
#include "lptrain/prune/shrink.h"

#include <algorithm>
#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

struct None : Shrink {
  std::unique_ptr<Shrink> clone() const override { return std::make_unique<None>(*this); }
  bool is_none() const override { return true; }
  void apply(double, const Pattern&, Tensor&) const override {}
};

struct Strength : Shrink {
  double strength = 1e-4;
  void fields(Fields& f) override {
    f("strength", strength, "of the penalty: each step shrinks by this times the learning rate", {0, 1e6});
  }
};

struct SoftThreshold : Strength {
  std::unique_ptr<Shrink> clone() const override { return std::make_unique<SoftThreshold>(*this); }
  void apply(double lr, const Pattern&, Tensor& w) const override {
    visit_real(w.dtype(), [&]<class T>() {
      const T t = static_cast<T>(lr * strength);
      T* x = w.data<T>().data();
      parallel_for(w.size(), kGrain, [&](int64_t i) { x[i] = x[i] > t ? x[i] - t : x[i] < -t ? x[i] + t : T(0); });
    });
  }
};

struct GroupLasso : Strength {
  std::unique_ptr<Shrink> clone() const override { return std::make_unique<GroupLasso>(*this); }
  void apply(double lr, const Pattern& pattern, Tensor& w) const override {
    const Units units = units_of(w.shape(), pattern);
    std::vector<double> factors(static_cast<size_t>(units.count));
    visit_real(w.dtype(), [&]<class T>() {
      const auto x = w.data<T>();
      for (size_t i = 0; i < x.size(); ++i)
        factors[static_cast<size_t>(units.of[i])] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      for (size_t g = 0; g < factors.size(); ++g) {
        const double norm = std::sqrt(factors[g]), t = lr * strength * std::sqrt(static_cast<double>(units.sizes[g]));
        factors[g] = norm > t ? 1 - t / norm : 0;
      }
      for (size_t i = 0; i < x.size(); ++i) {
        const T factor = static_cast<T>(factors[static_cast<size_t>(units.of[i])]);
        x[i] = factor > 0 ? x[i] * factor : T(0);
      }
    });
  }
};

constexpr ChoiceRow<Shrink> kRows[] = {
    choice_row<Shrink, None>("none", "weights are not shrunk"),
    choice_row<Shrink, SoftThreshold>("l1", "each weight by the same length: the proximal step of L1"),
    choice_row<Shrink, GroupLasso>("group_lasso",
                                   "the weights of a unit of the pattern together   Source: Yuan & Lin 2006; Wen et al. 2016"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Shrink>> choices<Shrink>() {
  return kRows;
}

}  // namespace lp

// The table of criteria.
#include "lptrain/prune/criterion.h"

#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

template <class T>
struct CriterionRow : Criterion {
  std::unique_ptr<Criterion> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
};

// f(x) for every element, in f64.
template <class F>
std::vector<double> each(const Tensor& x, F f) {
  std::vector<double> y(static_cast<size_t>(x.size()));
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    parallel_for(x.size(), kGrain, [&](int64_t i) { y[static_cast<size_t>(i)] = f(static_cast<double>(a[i])); });
  });
  return y;
}

// sum += f(w, dw).
template <class F>
void add_each(const Tensor& w, const Tensor& dw, Tensor& sum, F f) {
  visit_real(w.dtype(), [&]<class T>() {
    const T *a = w.data<T>().data(), *b = dw.data<T>().data();
    T* s = sum.data<T>().data();
    parallel_for(w.size(), kGrain, [&](int64_t i) { s[i] += f(a[i], b[i]); });
  });
}

double magnitude(double w) { return std::abs(w); }

struct Magnitude : CriterionRow<Magnitude> {
  std::vector<double> scores(const Evidence& e) const override { return each(e.w, magnitude); }
  bool only_compares() const override { return true; }
};

struct L1 : Magnitude {
  std::unique_ptr<Criterion> clone() const override { return std::make_unique<L1>(*this); }
  Pooling pooling() const override { return Pooling::sum; }
};

struct L2 : CriterionRow<L2> {
  std::vector<double> scores(const Evidence& e) const override { return each(e.w, magnitude); }
  Pooling pooling() const override { return Pooling::root_of_squares; }
};

// Which side of the threshold goes.
enum class Side : uint8_t { near, far };

}  // namespace

template <>
struct Words<Side> {
  static constexpr std::string_view list[] = {"near", "far"};
};

namespace {

// Mean and deviation of the weights that are left.
struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of(const Evidence& e) {
  double count = 0, sum = 0, squares = 0;
  visit_real(e.w.dtype(), [&]<class T>() {
    const auto w = e.w.data<T>();
    const auto is_left = [&](size_t i) { return !e.mask || e.mask.data<T>()[i] != 0; };
    for (size_t i = 0; i < w.size(); ++i)
      if (is_left(i)) count += 1, sum += static_cast<double>(w[i]);
    const double mean = count > 0 ? sum / count : 0;
    for (size_t i = 0; i < w.size(); ++i)
      if (is_left(i)) squares += (static_cast<double>(w[i]) - mean) * (static_cast<double>(w[i]) - mean);
  });
  return count > 0 ? Moments{sum / count, std::sqrt(squares / count)} : Moments{};
}

struct Standardized : CriterionRow<Standardized> {
  double theta = 1;
  Side removes = Side::near;
  void fields(Fields& f) override {
    f("theta", theta, "the threshold, in deviations of the layer's weights", {0, 1e6});
    f("removes", removes,
      "near: weights with |w - mean| / deviation < theta. far: those with > theta, as some texts print it, which takes the "
      "weights "
      "that matter most");
  }
  std::vector<double> scores(const Evidence& e) const override {
    const Moments m = moments_of(e);
    const double sign = removes == Side::near ? 1 : -1;
    return each(e.w, [&](double w) { return m.deviation > 0 ? sign * std::abs(w - m.mean) / m.deviation : 0; });
  }
  std::optional<double> below() const override { return removes == Side::near ? theta : -theta; }
};

struct Zeros : Magnitude {
  std::unique_ptr<Criterion> clone() const override { return std::make_unique<Zeros>(*this); }
  std::optional<double> below() const override { return std::numeric_limits<double>::denorm_min(); }
};

struct Random : CriterionRow<Random> {
  std::vector<double> scores(const Evidence& e) const override {
    std::vector<double> y(static_cast<size_t>(e.w.size()));
    for (size_t i = 0; i < y.size(); ++i) y[i] = e.key.uniform64(i);
    return y;
  }
  bool only_compares() const override { return true; }
};

struct Listener : Criterion {
  std::vector<double> scores(const Evidence& e) const override {
    return e.heard ? each(e.heard, [](double s) { return s; }) : std::vector<double>(static_cast<size_t>(e.w.size()));
  }
  bool listens() const override { return true; }
};

struct Gradient : Listener {
  std::unique_ptr<Criterion> clone() const override { return std::make_unique<Gradient>(*this); }
  void hear(const Tensor& w, const Tensor& dw, Tensor& sum) const override {
    add_each(w, dw, sum, [](auto a, auto b) { return std::abs(a * b); });
  }
};

struct Movement : Listener {
  std::unique_ptr<Criterion> clone() const override { return std::make_unique<Movement>(*this); }
  void hear(const Tensor& w, const Tensor& dw, Tensor& sum) const override {
    add_each(w, dw, sum, [](auto a, auto b) { return -a * b; });
  }
};

struct BatchNormGain : CriterionRow<BatchNormGain> {
  std::vector<double> scores(const Evidence& e) const override {
    require(e.gain && e.gain.size() == e.w.shape()[0], "criterion batch_norm: {} rows of weights, {} gains", e.w.shape()[0],
            e.gain.size());
    const std::vector<double> gains = each(e.gain, magnitude);
    const int64_t row = e.w.shape().after(0);
    std::vector<double> y(static_cast<size_t>(e.w.size()));
    for (size_t i = 0; i < y.size(); ++i) y[i] = gains[i / static_cast<size_t>(row)];
    return y;
  }
  bool needs_norm() const override { return true; }
};

constexpr ChoiceRow<Criterion> kRows[] = {
    choice_row<Criterion, Magnitude>("magnitude", "|w|, of weights that go together their mean   Source: Han et al. 2015"),
    choice_row<Criterion, L1>("l1", "the sum of |w| over what goes together: of filters   Source: Li et al. 2017"),
    choice_row<Criterion, L2>("l2", "the root of the sum of w^2 over what goes together   Source: He et al. 2018"),
    choice_row<Criterion, Standardized>("standardized",
                                        "|w - mean| / deviation of the layer against a threshold, which says how many go; "
                                        "texts differ on the direction"),
    choice_row<Criterion, Zeros>("zeros", "those that are zero already go for good: what shrinking left"),
    choice_row<Criterion, Random>("random", "by lot: the control of every other criterion"),
    choice_row<Criterion, Gradient>("gradient",
                                    "sum over steps of |w dL/dw|   Source: Molchanov et al. 2017, first-order Taylor"),
    choice_row<Criterion, Movement>("movement",
                                    "-sum over steps of w dL/dw: weights that move towards zero go   Source: Sanh, Wolf & "
                                    "Rush 2020 (hard: what went does not come back)"),
    choice_row<Criterion, BatchNormGain>("batch_norm",
                                         "|gain| of the batch norm behind a filter   Source: Liu et al. 2017 (network slimming)"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Criterion>> choices<Criterion>() {
  return kRows;
}

}  // namespace lp

// One sum of products in a modelled accumulator: the arithmetic of kernel/accumulator.h, spelled out.
#pragma once
#include <bit>
#include <cmath>
#include <limits>

#include "lptrain/kernel/accumulator.h"
#include "product_types.h"

namespace lp {

// a + b, of whose last place (of 53 bits) is told whether bits follow: it is odd if so. Rounded once more, to 50 bits or fewer,
// that gives the very rounding of the exact sum.   Source: Boldo & Melquiond 2008
inline double sum_to_odd(double a, double b) {
  const double sum = a + b;
  if (!std::isfinite(sum)) return sum;
  const double b_part = sum - a, error = (a - (sum - b_part)) + (b - b_part);
  if (error == 0 || (std::bit_cast<uint64_t>(sum) & 1u)) return sum;
  return std::nextafter(sum, std::copysign(std::numeric_limits<double>::infinity(), error));
}

template <class C>
class ModelledSum {
 public:
  ModelledSum(const Accumulator& how, int64_t element)
      : how_(how), outer_(how.outer.value_or(how.format)), noise_(how.noise.with(static_cast<uint64_t>(element))) {}

  ModelledSum(const ModelledSum&) = delete;
  ~ModelledSum() {
    if (!how_.counts) return;
    counted_.sums = 1;
    how_.counts->add_from_thread(counted_);
  }

  template <class A, class B>
  void add(A a, B b) {
    const auto wide_a = static_cast<double>(wide(a)), wide_b = static_cast<double>(wide(b));
    inner_ = sum(how_.format, inner_, wide_a * wide_b);
    if (++count_ == how_.chunk) close();
  }
  void start_from(C c) {
    (how_.chunk > 0 ? total_ : inner_) = rounded(how_.chunk > 0 ? outer_ : how_.format, static_cast<double>(c));
  }
  C value() const { return static_cast<C>(how_.chunk == 0 ? inner_ : count_ == 0 ? total_ : joined()); }

 private:
  double joined() const { return sum(outer_, total_, inner_); }
  void close() {
    total_ = joined();
    inner_ = 0;
    count_ = 0;
  }
  double sum(const Format& format, double a, double b) const {
    const double exact = sum_to_odd(a, b), s = rounded(format, exact);
    if (how_.counts) count(format, a, b, exact, s);
    return s;
  }
  void count(const Format& format, double before, double term, double exact, double after) const {
    ++counted_.additions;
    if (!std::isfinite(exact)) return;
    const bool is_beyond = exact > format.max() || exact < format.min(), is_held = after == format.max() || after == format.min();
    if (is_beyond && after != exact) return void(++(is_held ? counted_.saturated : counted_.overflows));
    counted_.rounded += after != exact;
    counted_.lost += term != 0 && after == before;
  }
  double rounded(const Format& format, double x) const {
    return round_value(format, x, how_.rounding, how_.overflow_of(format), static_cast<double>(noise_.uniform(draws_++)));
  }

  const Accumulator& how_;
  Format outer_;
  Key noise_;
  double inner_ = 0, total_ = 0;
  int64_t count_ = 0;  // of products in inner_; counts on where there are no chunks
  mutable uint64_t draws_ = 0;
  mutable SumCounts counted_;
};

// f(start), where start(element) is an empty sum of one result: native, or as the accumulator says.
template <class C, class F>
void with_sums(const Accumulator& how, F&& f) {
  if (how.is_native()) return f([](int64_t) { return Sum<C>(); });
  f([&how](int64_t element) { return ModelledSum<C>(how, element); });
}

}  // namespace lp

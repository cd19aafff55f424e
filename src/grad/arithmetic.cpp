// Sums, products and elementary functions, element by element.
#include <cmath>

#include "lptrain/grad/element_wise.h"
#include "lptrain/grad/ops.h"
#include "lptrain/kernel/map.h"

namespace lp {
namespace {

// f(x, y) of the two broadcast to one shape.
template <class F>
Tensor combined(const Tensor& x, const Tensor& y, const char* what, F f) {
  const Shape shape = broadcast(x.shape(), y.shape(), what);
  return zip(broadcast_to(x, shape), broadcast_to(y, shape), f);
}

template <class F>
Tensor combined(const Var& x, const Var& y, const char* what, F f) {
  require(x.value && y.value, "{}: an operand is empty", what);
  require(x.value.dtype() == y.value.dtype(), "{}: one operand is {}, the other {}", what, name_of(x.value.dtype()),
          name_of(y.value.dtype()));
  return combined(x.tensor(), y.tensor(), what, f);
}

constexpr auto kProduct = [](auto a, auto b) { return a * b; };
constexpr auto kQuotient = [](auto a, auto b) { return a / b; };

// The gradient of an operand that was broadcast.
Rule summed(const Shape& shape) {
  return [shape](const Value& dy) { return sum_to(dy.tensor(), shape); };
}

// dy times what the other operand was.
Rule times(const Var& other, const Shape& shape) {
  return
      [other = other.tensor(), shape](const Value& dy) { return sum_to(combined(dy.tensor(), other, "mul", kProduct), shape); };
}

struct Scale {
  static constexpr std::string_view name = "scale";
  static constexpr Keeps keeps = Keeps::nothing;
  double factor;
  template <class T>
  T f(T x) const {
    return x * static_cast<T>(factor);
  }
  double slope() const { return factor; }
};

struct Neg {
  static constexpr std::string_view name = "neg";
  static constexpr Keeps keeps = Keeps::nothing;
  template <class T>
  T f(T x) const {
    return -x;
  }
  double slope() const { return -1; }
};

struct Square {
  static constexpr std::string_view name = "square";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T f(T x) const {
    return x * x;
  }
  template <class T>
  T slope(T x) const {
    return 2 * x;
  }
};

struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return std::sqrt(x);
  }
  template <class T>
  T slope(T y) const {
    return 1 / (2 * y);
  }
};

struct Exp {
  static constexpr std::string_view name = "exp";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return std::exp(x);
  }
  template <class T>
  T slope(T y) const {
    return y;
  }
};

struct Log {
  static constexpr std::string_view name = "log";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T f(T x) const {
    return std::log(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / x;
  }
};

struct Abs {
  static constexpr std::string_view name = "abs";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T f(T x) const {
    return std::abs(x);
  }
  template <class T>
  T slope(T x) const {
    return static_cast<T>((x > 0) - (x < 0));
  }
};

struct Clamp {
  static constexpr std::string_view name = "clamp";
  static constexpr Keeps keeps = Keeps::input;
  double low, high;
  template <class T>
  T f(T x) const {
    return x < static_cast<T>(low) ? static_cast<T>(low) : x > static_cast<T>(high) ? static_cast<T>(high) : x;
  }
  template <class T>
  T slope(T x) const {
    return x >= static_cast<T>(low) && x <= static_cast<T>(high) ? T(1) : T(0);
  }
};

bool are_alike(const Var& x, const Var& y) {
  return x.value && y.value && x.shape() == y.shape() && x.value.dtype() == y.value.dtype();
}

Tensor plain_sum(const Tensor& x, const Tensor& y) {
  Tensor z(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() { add(z.size(), x.data<T>().data(), y.data<T>().data(), z.data<T>().data()); });
  return z;
}

}  // namespace

// The operands are checked by combined(), so it stands before the rules that look at them.

Var add(const Var& x, const Var& y) {
  const Tensor z =
      are_alike(x, y) ? plain_sum(x.tensor(), y.tensor()) : combined(x, y, "add", [](auto a, auto b) { return a + b; });
  return record(z, {{x, summed(x.shape())}, {y, summed(y.shape())}});
}

Var sub(const Var& x, const Var& y) {
  const Tensor z = combined(x, y, "sub", [](auto a, auto b) { return a - b; });
  return record(
      z, {{x, summed(x.shape())}, {y, [shape = y.shape()](const Value& dz) { return scaled(sum_to(dz.tensor(), shape), -1); }}});
}

Var mul(const Var& x, const Var& y) {
  const Tensor z = combined(x, y, "mul", kProduct);
  return record(z, {{x, times(y, x.shape())}, {y, times(x, y.shape())}});
}

// z = x / y: dx = dz / y, dy = -dz x / y^2
Var div(const Var& x, const Var& y) {
  const Tensor z = combined(x, y, "div", kQuotient);
  return record(z, {{x, [y = y.tensor(), shape = x.shape()](
                            const Value& dz) { return sum_to(combined(dz.tensor(), y, "div", kQuotient), shape); }},
                    {y, [x = x.tensor(), y = y.tensor()](const Value& dz) {
                       const Tensor ratio = combined(x, y, "div", [](auto a, auto b) { return -a / (b * b); });
                       return sum_to(zip(dz.tensor(), ratio, kProduct), y.shape());
                     }}});
}

Var shift(const Var& x, double term) {
  require(bool(x.value), "shift: the input is empty");
  return record(map(x.tensor(), [term](auto a) { return a + static_cast<decltype(a)>(term); }),
                {{x, [](const Value& dy) { return dy; }}});
}

Var scale(const Var& x, double factor) { return element_wise(Scale{factor}, x); }
Var neg(const Var& x) { return element_wise(Neg{}, x); }
Var square(const Var& x) { return element_wise(Square{}, x); }
Var sqrt(const Var& x) { return element_wise(Sqrt{}, x); }
Var exp(const Var& x) { return element_wise(Exp{}, x); }
Var log(const Var& x) { return element_wise(Log{}, x); }
Var abs(const Var& x) { return element_wise(Abs{}, x); }

Var clamp(const Var& x, double low, double high) {
  require(low <= high, "clamp: the low bound {} is above the high bound {}", low, high);
  return element_wise(Clamp{low, high}, x);
}

}  // namespace lp

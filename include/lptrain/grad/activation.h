// The activations: a struct each, and one list from which come the ops, the layers and their proofs. A new one is a struct and
// its name in the list.
#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string_view>
#include <tuple>

#include "lptrain/base/fields.h"
#include "lptrain/grad/element_wise.h"

namespace lp {

struct Relu {
  static constexpr std::string_view name = "relu", doc = "max(x, 0)";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return x < 0 ? T(0) : x;
  }
  template <class T>
  T slope(T y) const {
    return y > 0 ? T(1) : T(0);
  }
};

struct LeakyRelu {
  static constexpr std::string_view name = "leaky_relu", doc = "x, times `slope` below 0";
  static constexpr Keeps keeps = Keeps::input;
  double below = 0.01;
  template <class T>
  T f(T x) const {
    return x < 0 ? static_cast<T>(below) * x : x;
  }
  template <class T>
  T slope(T x) const {
    return x > 0 ? T(1) : static_cast<T>(below);
  }
  void fields(Fields& field) { field("slope", below, "slope below 0"); }
};

struct Relu6 {
  static constexpr std::string_view name = "relu6", doc = "min(max(x, 0), 6)";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return std::clamp(x, T(0), T(6));
  }
  template <class T>
  T slope(T y) const {
    return y > 0 && y < 6 ? T(1) : T(0);
  }
};

struct HardTanh {
  static constexpr std::string_view name = "hard_tanh", doc = "min(max(x, -1), 1)";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return std::clamp(x, T(-1), T(1));
  }
  template <class T>
  T slope(T y) const {
    return y > -1 && y < 1 ? T(1) : T(0);
  }
};

struct HardSigmoid {
  static constexpr std::string_view name = "hard_sigmoid", doc = "min(max(x / 6 + 1/2, 0), 1)";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return std::clamp(x / 6 + T(0.5), T(0), T(1));
  }
  template <class T>
  T slope(T y) const {
    return y > 0 && y < 1 ? T(1) / 6 : T(0);
  }
};

// Source: Howard et al. 2019, "Searching for MobileNetV3"
struct HardSwish {
  static constexpr std::string_view name = "hard_swish", doc = "x hard_sigmoid(x)";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T f(T x) const {
    return x * std::clamp(x / 6 + T(0.5), T(0), T(1));
  }
  template <class T>
  T slope(T x) const {
    return x <= -3 ? T(0) : x >= 3 ? T(1) : x / 3 + T(0.5);
  }
};

struct Sigmoid {
  static constexpr std::string_view name = "sigmoid", doc = "1 / (1 + e^-x)";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return 1 / (1 + std::exp(-x));
  }
  template <class T>
  T slope(T y) const {
    return y * (1 - y);
  }
};

struct Tanh {
  static constexpr std::string_view name = "tanh", doc = "hyperbolic tangent";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return std::tanh(x);
  }
  template <class T>
  T slope(T y) const {
    return 1 - y * y;
  }
};

struct Elu {
  static constexpr std::string_view name = "elu", doc = "x, and e^x - 1 below 0";
  static constexpr Keeps keeps = Keeps::output;
  template <class T>
  T f(T x) const {
    return x < 0 ? std::expm1(x) : x;
  }
  template <class T>
  T slope(T y) const {
    return y < 0 ? y + 1 : T(1);
  }
};

struct Softplus {
  static constexpr std::string_view name = "softplus", doc = "log(1 + e^x)";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T f(T x) const {
    return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
  }
  template <class T>
  T slope(T x) const {
    return Sigmoid().f(x);
  }
};

// With Phi(x) = erfc(-x / sqrt 2) / 2, which loses no digits below 0.   Source: Hendrycks & Gimpel 2016
struct Gelu {
  static constexpr std::string_view name = "gelu", doc = "x Phi(x), Phi the normal distribution; exact (erf)";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  static T phi(T x) {
    return std::erfc(-x * std::numbers::sqrt2_v<T> / 2) / 2;
  }
  template <class T>
  T f(T x) const {
    return x * phi(x);
  }
  template <class T>
  T slope(T x) const {
    constexpr T kDensityAtZero = std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
    return phi(x) + x * kDensityAtZero * std::exp(-x * x / 2);
  }
};

struct Silu {
  static constexpr std::string_view name = "silu", doc = "x sigmoid(x)";
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T f(T x) const {
    return x * Sigmoid().f(x);
  }
  template <class T>
  T slope(T x) const {
    const T s = Sigmoid().f(x);
    return s + x * s * (1 - s);
  }
};

using Activations =
    std::tuple<Relu, LeakyRelu, Relu6, HardTanh, HardSigmoid, HardSwish, Sigmoid, Tanh, Elu, Softplus, Gelu, Silu>;

// visit.template operator()<A>() for each activation A of the list, in order.
template <class F>
void for_each_activation(F&& visit) {
  [&]<class... A>(std::tuple<A...>*) { (visit.template operator()<A>(), ...); }(static_cast<Activations*>(nullptr));
}

Var relu(const Var& x);

// y = a.f(x), with the fields of `a` as they are set.
template <class A>
Var activate(const A& a, const Var& x) {
  if constexpr (std::is_same_v<A, Relu>)
    return relu(x);  // has kernels of its own, and keeps codes
  else
    return element_wise(a, x);
}

// The list as a table, with default fields.
struct ActivationRow {
  std::string_view name, doc;
  Var (*apply)(const Var& x);
};
std::span<const ActivationRow> activations();

// y = f(x) for the activation of this name, with default fields; throws Error(usage) with a suggestion.
Var activation(std::string_view name, const Var& x);

}  // namespace lp

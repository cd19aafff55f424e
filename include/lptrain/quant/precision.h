// Which numbers of a training run are narrow: a quantizer for every role, with overrides by layer name.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "lptrain/kernel/accumulator.h"
#include "lptrain/quant/quantizer.h"

namespace lp {

enum class Role : uint8_t { input, weights, biases, activations, errors, weight_grads, state, master };
inline constexpr int kRoles = 8;
template <>
struct Words<Role> {
  static constexpr std::string_view list[] = {"input",  "weights",      "biases", "activations",
                                              "errors", "weight_grads", "state",  "master"};
};
std::string_view doc_of(Role role);

// The accumulator is a role without a quantizer: sums have no scale, and are rounded again and again.
inline constexpr std::string_view kAccumulatorDoc =
    "what sums of products are held in; modelled exactly, one product after the other, by the scalar row \"reference\": slow";

// Roles that a rule sets; a role that is not named stays as it was. A bare format means weights and activations.
struct RoleQuantizers {
  std::array<std::optional<Quantizer>, kRoles> roles;
  std::optional<Quantizer> both;  // weights and activations, as in "fc2": "int4"
  std::optional<Accumulator> accumulator;

  static constexpr std::string_view kShorthand = "format";
  void fields(Fields& f);
};

struct Precision {
  std::array<Quantizer, kRoles> roles;   // identity unless set
  Accumulator accumulator;               // of the products of linear and convolution layers, forward and backward
  Dictionary<RoleQuantizers> overrides;  // layer name glob -> what differs there; the last match in file order wins

  void fields(Fields& f);
  // The quantizer of a role in a layer ("conv1", "block2.conv1").
  Quantizer of(Role role, std::string_view layer) const;
  Accumulator accumulator_of(std::string_view layer) const;
  // Every glob must match at least one of the layers, and every accumulator hold a product of its layer's codes; throws
  // Error(usage) with a suggestion.
  void check(std::span<const std::string> layers) const;
};

}  // namespace lp

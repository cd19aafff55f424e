// Roles and overrides.
#include "lptrain/quant/precision.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr std::string_view kDocs[kRoles] = {
    "what the network is fed",
    "weights of linear and convolution layers",
    "biases",
    "inputs of linear and convolution layers, and gates of recurrent ones",
    "gradients of activations, where they enter a layer backwards",
    "gradients of weights, before the optimizer sees them",
    "what the optimizer remembers (momentum, second moments)",
    "the weights themselves, as the optimizer updates them",
};

// Scales whose formula makes no sense of other numbers.
constexpr std::string_view kForWeights[] = {"kmeans", "ttq", "dorefa"};

// Which scales a role can have: errors are seen in the backward pass, where nothing learns; the last three have no lens that
// could remember; only parameters are all at hand before a pass.
void claim_scale(Fields& f, size_t role, const Quantizer& q) {
  const bool remembers = role < static_cast<size_t>(Role::weight_grads), learns = role < static_cast<size_t>(Role::errors);
  const bool is_parameter = role == static_cast<size_t>(Role::weights) || role == static_cast<size_t>(Role::biases);
  const Scale::Kind kind = q.rule().kind();
  const std::string_view name = Words<Role>::list[role];
  f.claim(learns || !(q.rule().learns() || kind == Scale::Kind::own),
          fmt::format("{}: the scale \"{}\" cannot be learned here; try absmax", name, q.scale.name()));
  f.claim(learns || !q.offset || !q.offset->learns(), fmt::format("{}: the offset cannot be learned here; try mean", name));
  f.claim(
      remembers || kind != Scale::Kind::observed,
      fmt::format("{}: the scale \"{}\" needs earlier steps, of which nothing is kept here; try absmax", name, q.scale.name()));
  const bool has_inputs = role == static_cast<size_t>(Role::weights) || role >= static_cast<size_t>(Role::weight_grads);
  f.claim(has_inputs || q.scale.name() != "layer_shift",
          fmt::format("{}: the scale \"layer_shift\" counts the inputs of weights; try pow2", name));
  f.claim(is_parameter || std::ranges::find(kForWeights, q.scale.name()) == std::end(kForWeights),
          fmt::format("{}: the scale \"{}\" is made for weights; try ema, absmax or learned", name, q.scale.name()));
  const bool has_examples = role == static_cast<size_t>(Role::input) || role == static_cast<size_t>(Role::activations) ||
                            role == static_cast<size_t>(Role::errors);
  f.claim(has_examples || q.per.kind != Per::Kind::sample,
          fmt::format("{}: \"per\": \"sample\" is for input, activations and errors, which have examples; try channel", name));
  f.claim(is_parameter || q.per.kind != Per::Kind::network,
          fmt::format("{}: \"per\": \"network\" is for weights and biases, which are all known before a step; try tensor", name));
}

// Registers that count products of codes need codes, and room for one product.
void check_accumulator(const Precision& p, const std::string& layer) {
  const Accumulator a = p.accumulator_of(layer);
  if (a.is_native() || !a.counts_codes()) return;
  const Quantizer w = p.of(Role::weights, layer), x = p.of(Role::activations, layer), input = p.of(Role::input, "");
  const auto is_integer = [](const Quantizer& q) { return q.format.is_integer_grid(); };
  require(is_integer(w) && (is_integer(x) || is_integer(input)),
          "precision.accumulator: {} counts products of integer codes, but in {} weights are {} and activations {}; give both "
          "integer "
          "formats, or an accumulator for reals, say f16",
          a.format.name(), layer, w.format.name(), x.format.name());
  const auto largest = [](const Quantizer& q) { return static_cast<double>(std::max(-q.grid().lo(), q.grid().hi())); };
  const double product = largest(w) * largest(is_integer(x) ? x : input);
  require(product <= a.format.max(),
          "precision.accumulator: {} is narrower than a single product of {}, {} x {}, which reaches {:.0f}; try int{}",
          a.format.name(), layer, w.format.name(), x.format.name(), product,
          static_cast<int>(std::ceil(std::log2(product + 1))) + 1);
}

bool is_unset(const RoleQuantizers& r) {
  return !r.both && !r.accumulator && std::ranges::none_of(r.roles, [](const auto& q) { return q.has_value(); });
}

}  // namespace

std::string_view doc_of(Role role) { return kDocs[static_cast<size_t>(role)]; }

void RoleQuantizers::fields(Fields& f) {
  f("format", both, "weights and activations alike");
  if (both) claim_scale(f, static_cast<size_t>(Role::activations), *both);
  for (size_t i = 0; i < kRoles; ++i) {
    f(Words<Role>::list[i], roles[i], kDocs[i]);
    if (roles[i]) claim_scale(f, i, *roles[i]);
  }
  f("accumulator", accumulator, kAccumulatorDoc);
  f.claim(!is_unset(*this), "names no role: give a format, or quantizers by role");
}

void Precision::fields(Fields& f) {
  for (size_t i = 0; i < kRoles; ++i) {
    f(Words<Role>::list[i], roles[i], kDocs[i]);
    claim_scale(f, i, roles[i]);
  }
  f("accumulator", accumulator, kAccumulatorDoc);
  f("overrides", overrides, "layer name pattern (* and ?) -> what differs there; the last match wins");
}

Quantizer Precision::of(Role role, std::string_view layer) const {
  const size_t i = static_cast<size_t>(role);
  Quantizer q = roles[i];
  for (const auto& [pattern, rule] : overrides) {
    if (!glob_match(pattern, layer)) continue;
    if (rule.both && (role == Role::weights || role == Role::activations)) q = *rule.both;
    if (rule.roles[i]) q = *rule.roles[i];
  }
  return q;
}

Accumulator Precision::accumulator_of(std::string_view layer) const {
  Accumulator a = accumulator;
  for (const auto& [pattern, rule] : overrides)
    if (rule.accumulator && glob_match(pattern, layer)) a = *rule.accumulator;
  return a;
}

void Precision::check(std::span<const std::string> layers) const {
  for (const auto& [pattern, rule] : overrides)
    require(std::ranges::any_of(layers, [&p = pattern](const std::string& layer) { return glob_match(p, layer); }),
            "precision.overrides: \"{}\" matches no layer{}", pattern, suggestion(pattern, layers));
  for (const std::string& layer : layers) check_accumulator(*this, layer);
}

}  // namespace lp

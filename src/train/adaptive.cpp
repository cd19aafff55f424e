// The search for bits, step by step.
#include "lptrain/train/adaptive.h"

#include <algorithm>

namespace lp {
namespace {

int64_t of(const Dictionary<int64_t>& numbers, const std::string& layer) {
  const auto found = std::ranges::find(numbers, layer, &std::pair<std::string, int64_t>::first);
  return found == numbers.end() ? 0 : found->second;
}

// One bit less for all.
void lower_all(BitSearch& s, const AdaptiveSpec& spec) {
  s.is_done = true;
  for (auto& [layer, bits] : s.bits)
    if (bits > spec.lowest) --bits, s.is_done = false;
}

// One bit less for the layer where that is worth most.
void lower_one(BitSearch& s, const AdaptiveSpec& spec, const Dictionary<int64_t>& weights) {
  s.lowered.clear();
  for (const auto& [layer, bits] : s.bits) {
    const bool is_open = bits > spec.lowest && std::ranges::find(s.settled, layer) == s.settled.end();
    if (is_open && (s.lowered.empty() || of(weights, layer) > of(weights, s.lowered))) s.lowered = layer;
  }
  s.is_done = s.lowered.empty();
  for (auto& [layer, bits] : s.bits)
    if (layer == s.lowered) --bits;
}

void lower(BitSearch& s, const AdaptiveSpec& spec, const Dictionary<int64_t>& weights) {
  s.epochs = 0;
  if (s.lowered.empty())
    lower_all(s, spec);
  else
    lower_one(s, spec, weights);
}

// The layer, or all of them together, did not reach the target.
void give_up(BitSearch& s, const AdaptiveSpec& spec, const Dictionary<int64_t>& weights) {
  s.bits = s.kept;
  s.epochs = 0;
  if (spec.per == AdaptiveSpec::Per::network) {
    s.is_done = true;
    return;
  }
  if (!s.lowered.empty()) s.settled.push_back(s.lowered);
  lower_one(s, spec, weights);
}

}  // namespace

void BitSearch::fields(Fields& f) {
  f("bits", bits, "of each layer's weights, now");
  f("kept", kept, "the fewest that reached the target");
  f("settled", settled, "layers that go no lower");
  f("lowered", lowered, "the layer that is being tried; empty: all of them");
  f("epochs", epochs, "that it has been trained for");
  f("is_done", is_done, "nothing is left to try");
}

BitSearch begun_search(const AdaptiveSpec& spec, const Precision& precision, std::span<const std::string> layers) {
  BitSearch s;
  for (const std::string& layer : layers)
    if (is_adaptable(precision.of(Role::weights, layer))) s.bits.emplace_back(layer, spec.start);
  s.is_done = s.bits.empty();
  return s;
}

BitMove advance(BitSearch& s, const AdaptiveSpec& spec, const Dictionary<int64_t>& weights, bool is_met, bool is_last) {
  ++s.epochs;
  BitMove move = BitMove::wait;
  if (is_met) {
    move = BitMove::keep;
    s.kept = s.bits;
    lower(s, spec, weights);
  } else if (!s.kept.empty() && (s.epochs >= spec.patience || is_last)) {
    move = BitMove::back;
    give_up(s, spec, weights);
  }
  if (is_last) s.is_done = true;
  if (s.is_done && !s.kept.empty()) s.bits = s.kept;
  return move;
}

std::string bits_text(const Dictionary<int64_t>& bits) {
  const bool are_alike = std::ranges::all_of(bits, [&](const auto& b) { return b.second == bits.front().second; });
  if (bits.empty()) return "no bits";
  if (are_alike) return fmt::format("{} bits", bits.front().second);
  std::string text;
  for (const auto& [layer, n] : bits) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", layer, n);
  return text + " bits";
}

bool is_adaptable(const Quantizer& q) { return q.format.counts() && !q.is_identity(); }

Quantizer with_bits(const Quantizer& q, int64_t bits) {
  Quantizer with = q;
  if (bits == 1 && q.format.is_signed) {
    with.format = Format::parse("binary");
    with.narrow = false;
    if (!q.rule().learns()) with.scale = {};
    return with;
  }
  with.format = Format::parse(fmt::format("{}{}", q.format.is_signed ? "int" : "uint", bits));
  return with;
}

Precision with_bits(Precision precision, const Dictionary<int64_t>& bits) {
  for (const auto& [layer, n] : bits) {
    RoleQuantizers rule;
    rule.roles[static_cast<size_t>(Role::weights)] = with_bits(precision.of(Role::weights, layer), n);
    precision.overrides.emplace_back(layer, rule);
  }
  return precision;
}

}  // namespace lp

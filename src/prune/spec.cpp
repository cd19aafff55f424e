// Reading what a phase says of pruning, and what cannot go together.
#include "lptrain/prune/spec.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/text.h"

namespace lp {
namespace {

// How many go, if it is not said by "sparsity".
bool is_said_elsewhere(const PruneSpec& s) { return s.pattern.sparsity().has_value() || s.criterion->below().has_value(); }

void claim_sparsity(Fields& f, const PruneSpec& s) {
  const auto implied = s.pattern.sparsity();
  f.claim(s.sparsity || is_said_elsewhere(s) || !s.shrink->is_none(), "\"sparsity\" is missing: the share of weights that go");
  f.claim(!s.sparsity || *s.sparsity < 1, "\"sparsity\" must be below 1");
  f.claim(!s.sparsity || !implied || std::abs(*s.sparsity - *implied) < 1e-9,
          fmt::format("the pattern {} is a sparsity of {:g}; leave out \"sparsity\"", s.pattern.name(), implied.value_or(0)));
  f.claim(!s.criterion->below() || !(s.sparsity || implied),
          fmt::format("the criterion {} says itself how many go; leave out \"sparsity\" and n:m", s.criterion.name()));
  for (const auto& [layers, own] : s.overrides) {
    f.claim(own >= 0 && own < 1, fmt::format("overrides: \"{}\" is {:g}, wanted 0 <= sparsity < 1", layers, own));
    f.claim(own == 0 || !is_said_elsewhere(s),
            fmt::format("overrides: \"{}\" can only be 0 here: pattern or criterion say how many go", layers));
  }
}

void claim_order(Fields& f, const PruneSpec& s) {
  f.claim(!s.criterion->needs_norm() || s.pattern.kind == Pattern::Kind::rows,
          "the criterion batch_norm judges filters: \"pattern\": \"rows\"");
  f.claim(!s.criterion->listens() || s.schedule->moment(1) > 0,
          fmt::format(
              "the criterion {} listens to training before it judges; begin later, say \"schedule\": {{\"one_shot\": {{\"at\": "
              "0.5}}}}",
              s.criterion.name()));
  f.claim(s.rewind == Rewind::none || s.cuts(), "\"rewind\" needs weights that are removed: give \"sparsity\"");
  const bool is_plain =
      s.pattern.kind == Pattern::Kind::unstructured && s.rewind == Rewind::none && s.sparsity && s.schedule->times() == 1;
  f.claim(!s.regrow || is_plain,
          "\"regrow\" exchanges single weights at one sparsity: it wants \"sparsity\", the schedule one_shot, and neither "
          "\"pattern\" nor "
          "\"rewind\"");
}

}  // namespace

void PruneSpec::fields(Fields& f) {
  f("sparsity", sparsity, "share of the weights that go; n:m and some criteria say it themselves", {0, 1});
  f("criterion", criterion, "which go first");
  f("pattern", pattern, "which go together: unstructured, rows (filters, neurons), n:m as in 2:4, blocks as in 4x4");
  f("scope", scope, "layer: the same share of each; global: the least of all layers");
  f("schedule", schedule, "when, and how much each time");
  f("overrides", overrides, "layer name pattern (* and ?) -> the sparsity of its own, 0: left alone; the last match wins");
  f("rewind", rewind,
    "after each pruning the weights that are left go back to what they were when the phase began (start: lottery "
    "ticket), the last time drawn anew (random: its control), or stay");
  f("shrink", shrink, "draw weights to zero in every step");
  f("regrow", regrow, "exchange weights while training (RigL, SET); {} for the defaults");
  claim_sparsity(f, *this);
  claim_order(f, *this);
}

bool PruneSpec::cuts() const { return sparsity || is_said_elsewhere(*this); }

PruneSpec::Target PruneSpec::target(std::string_view layer) const {
  Target t{sparsity ? *sparsity : pattern.sparsity().value_or(criterion->below() ? 1 : 0), false};
  for (const auto& [layers, own] : overrides)
    if (glob_match(layers, layer)) t = {own, true};
  return t;
}

void PruneSpec::check(std::span<const std::string> layers) const {
  for (const auto& [pattern_of, own] : overrides)
    require(std::ranges::any_of(layers, [&p = pattern_of](const std::string& layer) { return glob_match(p, layer); }),
            "prune.overrides: \"{}\" matches no layer{}", pattern_of, suggestion(pattern_of, layers));
}

}  // namespace lp

// What a phase says of pruning: "prune" in a config.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "lptrain/prune/criterion.h"
#include "lptrain/prune/pattern.h"
#include "lptrain/prune/regrow.h"
#include "lptrain/prune/schedule.h"
#include "lptrain/prune/shrink.h"

namespace lp {

// Who competes with whom: the weights of each layer among themselves, or those of all layers.
enum class PruneScope : uint8_t { layer, global };
template <>
struct Words<PruneScope> {
  static constexpr std::string_view list[] = {"layer", "global"};
};

// What becomes of the weights that are left after each pruning. start: the lottery ticket (Frankle & Carbin 2019); random: its
// control, the last time drawn anew.
enum class Rewind : uint8_t { none, start, random };
template <>
struct Words<Rewind> {
  static constexpr std::string_view list[] = {"none", "start", "random"};
};

// Only weights of products are chosen; biases, norms and learned scales never are. With rows, the bias of a removed output goes
// along, and gain and shift of a batch norm right behind, so that what the output leaves is exactly 0; the rows of the layer that
// ends the network are never removed.
struct PruneSpec {
  std::optional<double> sparsity;
  Choice<Criterion> criterion{"magnitude"};
  Pattern pattern;
  PruneScope scope = PruneScope::layer;
  Choice<PruneSchedule> schedule{"one_shot"};
  Dictionary<double> overrides;
  Rewind rewind = Rewind::none;
  Choice<Shrink> shrink{"none"};
  std::optional<Regrow> regrow;
  void fields(Fields& f);

  bool cuts() const;  // are weights removed, or only shrunk?
  // The share of a layer's weights that is to go at last, and whether the layer competes with no other; 0: it is left alone. Of a
  // criterion that says itself how many go, 0 or 1.
  struct Target {
    double sparsity;
    bool is_own;
  };
  Target target(std::string_view layer) const;
  // Every pattern of overrides matches one of the layers. Throws Error(usage), beginning with "prune.overrides: ".
  void check(std::span<const std::string> layers) const;
};

}  // namespace lp

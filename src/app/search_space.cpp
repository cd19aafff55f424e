// From rungs to configs.
#include "lptrain/app/search_space.h"

#include <algorithm>
#include <map>

#include "lptrain/app/narrowing.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

// role -> quantizer, for a format of the weights.
std::vector<std::pair<Role, Quantizer>> roles_for(const Precision& p, const Format& format) {
  const auto own = [&](Role role) { return p.roles[static_cast<size_t>(role)]; };
  std::vector<std::pair<Role, Quantizer>> roles{{Role::weights, with_format(own(Role::weights), format)}};
  if (const Quantizer q = own(Role::activations); !q.is_identity())
    roles.emplace_back(Role::activations, with_format(q, activation_format(format, q.format.is_signed)));
  return roles;
}

}  // namespace

SearchSpace::SearchSpace(RunConfig base, std::vector<Format> formats, const std::vector<std::string>& layers)
    : base_(std::move(base)), formats_(std::move(formats)) {
  require(base_.phases.size() == 1, "search: the config has phases; search wants one training with one precision");
  require(!formats_.empty(), "search: no formats to try");
  for (size_t i = 1; i < formats_.size(); ++i)
    require(formats_[i].bits() < formats_[i - 1].bits(), "search: formats must be ever narrower, found {} after {}",
            formats_[i].name(), formats_[i - 1].name());
  const Precision& p = base_.precision;
  for (const std::string& layer : layers)
    if (p.of(Role::weights, layer) == p.roles[static_cast<size_t>(Role::weights)]) layers_.push_back(layer);
  require(!layers_.empty(), "search: the config's overrides name the weights of every layer; nothing is left to search");
}

size_t SearchSpace::common(const Rungs& rungs) const {
  std::map<size_t, int64_t> counts;
  for (size_t rung : rungs) ++counts[rung];
  return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })->first;
}

Document SearchSpace::config(const Rungs& rungs) const {
  Document d = base_.document;
  const size_t most = common(rungs);
  const auto set = [&](const std::string& place, size_t rung) {
    for (const auto& [role, quantizer] : roles_for(base_.precision, formats_[rung]))
      d.set(fmt::format("{}.{}", place, word_of(role)), write(quantizer).dump(0), "search");
  };
  set("precision", most);
  for (size_t l = 0; l < layers_.size(); ++l)
    if (rungs[l] != most) set(fmt::format("precision.overrides.\"{}\"", layers_[l]), rungs[l]);
  const bool is_uniform = std::ranges::all_of(rungs, [&](size_t rung) { return rung == most; });
  d.set("name", fmt::format("\"{}-{}\"", base_.name, is_uniform ? formats_[most].name() : "mixed"), "search");
  return d;
}

std::string SearchSpace::name(const Rungs& rungs) const {
  const size_t most = common(rungs);
  std::string text = formats_[most].name();
  for (size_t l = 0; l < layers_.size(); ++l)
    if (rungs[l] != most) text += fmt::format(", {} {}", layers_[l], formats_[rungs[l]].name());
  return text;
}

}  // namespace lp

// Pruning one layer at a time.
#include "lptrain/app/pruning_sensitivity.h"

#include <algorithm>
#include <charconv>

#include "lptrain/base/text.h"
#include "lptrain/prune/mask.h"

namespace lp {
namespace {

constexpr double kTenth = 0.1, kSlack = 1e-9;

double sparsity_in(const std::string& list, std::string_view word) {
  double x = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), x);
  require(error == std::errc() && end == word.data() + word.size() && x >= 0 && x < 1,
          "--sparsity {}: \"{}\" is no share of weights; wanted numbers from 0 up to below 1, as in 0.5,0.9 or 0.4..0.95", list,
          word);
  return x;
}

// After the last of the list, in steps, up to `end`, which is the last whatever the step.
void go_on(std::vector<double>& list, double step, double end) {
  const double from = list.back();
  require(step > 0 && end > from, "--sparsity: from {:g} in steps of {:g} to {:g} goes nowhere", from, step, end);
  require((end - from) / step < 1000, "--sparsity: more than 1000 steps from {:g} to {:g}", from, end);
  for (int k = 1; from + k * step < end - kSlack; ++k) list.push_back(from + k * step);
  list.push_back(end);
}

// The weights of one layer, which come back as they were.
class Spared {
 public:
  explicit Spared(Param& p) : p_(p), value_(p.value), mask_(p.mask) {}
  ~Spared() { p_.value = value_, p_.mask = mask_; }
  Spared(const Spared&) = delete;
  Spared& operator=(const Spared&) = delete;

  void prune(const Criterion& criterion, const Pattern& pattern, double sparsity) const {
    const Evidence e{value_, mask_, {}, {}, Key(1).with(p_.name)};
    p_.mask = chosen_masks({&e, 1}, criterion, pattern, sparsity)[0];
    p_.value = value_.clone();
    hold(p_.mask, p_.value);
  }

 private:
  Param& p_;
  Tensor value_, mask_;
};

std::vector<Param*> weights_of(Model& model) {
  std::vector<Param*> list;
  for (Param* p : model.params())
    if (p->lens && p->lens->role == Role::weights) list.push_back(p);
  return list;
}

}  // namespace

std::vector<double> sparsities_in(const std::string& list) {
  std::vector<double> found;
  const std::vector<std::string> words = split(list, ',');
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t dots = word.find("..");
    if (word == "...") {
      require(found.size() >= 2 && i + 1 < words.size(), "--sparsity {}: dots stand between two numbers and a last one", list);
      go_on(found, found.back() - found[found.size() - 2], sparsity_in(list, words[++i]));
    } else if (dots != word.npos) {
      found.push_back(sparsity_in(list, std::string_view(word).substr(0, dots)));
      go_on(found, kTenth, sparsity_in(list, std::string_view(word).substr(dots + 2)));
    } else {
      found.push_back(sparsity_in(list, word));
    }
  }
  return found;
}

Sensitivity sensitivity_to_pruning(const Trained& trained, const std::vector<double>& sparsities,
                                   const Choice<Criterion>& criterion, const Pattern& pattern, const Console& console) {
  require(
      !criterion->listens() && !criterion->needs_norm() && !criterion->below(),
      "sensitivity: the criterion {} cannot judge weights by themselves at a given sparsity; take magnitude, l1, l2 or random",
      criterion.name());
  require(!pattern.sparsity(), "sensitivity: the pattern {} has a sparsity of its own; see `lptrain prune --pattern {}`",
          pattern.name(), pattern.name());
  const Subset& split = trained.data.validation.size() > 0 ? trained.data.validation : trained.data.test;
  const TrainSpec& train = trained.config.phases.back().train;
  const auto score = [&] { return evaluate(*trained.model, *train.loss, trained.data, split, train.eval_batch).score; };
  const Score whole = score();
  Sensitivity s{trained.file.string(),
                &split == &trained.data.test ? "test" : "validation",
                kPruned,
                split.size(),
                whole.accuracy,
                whole.loss,
                {},
                {},
                {}};
  for (const double sparsity : sparsities) s.formats.push_back(fmt::format("{:.4g}", sparsity));
  const std::vector<Param*> weights = weights_of(*trained.model);
  for (const Param* p : weights) s.layers.push_back(p->lens->layer());
  s.layers.emplace_back(kAllLayers);
  for (size_t row = 0; row < s.layers.size(); ++row) {
    std::vector<std::unique_ptr<Spared>> chosen;
    for (size_t i = 0; i < weights.size(); ++i)
      if (i == row || row == weights.size()) chosen.push_back(std::make_unique<Spared>(*weights[i]));
    for (size_t i = 0; i < sparsities.size(); ++i) {
      for (const auto& layer : chosen) layer->prune(*criterion, pattern, sparsities[i]);
      const Score now = score();
      s.cells.push_back({s.layers[row], s.formats[i], now.accuracy, now.loss});
    }
    console.say("{} ({} of {})", s.layers[row], row + 1, s.layers.size());
  }
  return s;
}

}  // namespace lp

// The table of pruning schedules.
#include "lptrain/prune/schedule.h"

#include <cmath>

namespace lp {
namespace {

struct OneShot : PruneSchedule {
  double at = 0;
  std::unique_ptr<PruneSchedule> clone() const override { return std::make_unique<OneShot>(*this); }
  void fields(Fields& f) override { f("at", at, "share of the phase that is done before", {0, 1}); }
  int64_t times() const override { return 1; }
  double moment(int64_t) const override { return at; }
  double sparsity(int64_t, double target) const override { return target; }
};

// From `initial` at `begin` to the target at `end`, along 1 - (1 - t)^power.
template <int power>
struct Gradual : PruneSchedule {
  double begin = 0, end = 0.75, initial = 0;
  int64_t steps = 20;
  std::unique_ptr<PruneSchedule> clone() const override { return std::make_unique<Gradual>(*this); }
  void fields(Fields& f) override {
    f("begin", begin, "share of the phase that is done before", {0, 1});
    f("end", end, "share of the phase that is done at the last pruning", {0, 1});
    f("initial", initial, "sparsity to begin with", {0, 1});
    f("times", steps, "prunings, evenly spaced", {1, 1e6});
    f.claim(begin <= end, "\"begin\" must not lie behind \"end\"");
  }
  int64_t times() const override { return steps; }
  double share(int64_t k) const { return static_cast<double>(k) / static_cast<double>(steps); }
  double moment(int64_t k) const override { return begin + (end - begin) * share(k); }
  double sparsity(int64_t k, double target) const override {
    if (k >= steps) return target;
    return target + (std::min(initial, target) - target) * std::pow(1 - share(k), power);
  }
};
using Linear = Gradual<1>;
using Cubic = Gradual<3>;

struct Iterative : PruneSchedule {
  int64_t rounds = 3;
  std::unique_ptr<PruneSchedule> clone() const override { return std::make_unique<Iterative>(*this); }
  void fields(Fields& f) override {
    f("rounds", rounds, "prunings; the phase is cut into one stretch more, of equal length", {1, 1e6});
  }
  int64_t times() const override { return rounds; }
  double moment(int64_t k) const override { return static_cast<double>(k) / static_cast<double>(rounds + 1); }
  double sparsity(int64_t k, double target) const override {
    return k >= rounds ? target : 1 - std::pow(1 - target, static_cast<double>(k) / static_cast<double>(rounds));
  }
};

constexpr ChoiceRow<PruneSchedule> kRows[] = {
    choice_row<PruneSchedule, OneShot>("one_shot", "all at once"),
    choice_row<PruneSchedule, Linear>("linear", "the same share every time"),
    choice_row<PruneSchedule, Cubic>("cubic",
                                     "much at first, little at last: s + (s0 - s)(1 - t)^3   Source: Zhu & Gupta 2017, eq. 1"),
    choice_row<PruneSchedule, Iterative>("iterative",
                                         "train, prune the same share of what is left, train again ...   Source: Frankle & "
                                         "Carbin 2019"),
};

}  // namespace

template <>
std::span<const ChoiceRow<PruneSchedule>> choices<PruneSchedule>() {
  return kRows;
}

int64_t PruneSchedule::due(double done) const {
  constexpr double kSlack = 1e-9;  // moments are rounded
  int64_t k = 0;
  while (k < times() && moment(k + 1) <= done + kSlack) ++k;
  return k;
}

}  // namespace lp

// The table of learning rate schedules, and warm-up.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "lptrain/train/optimizer.h"

namespace lp {
namespace {

struct Constant : Schedule {
  std::unique_ptr<Schedule> clone() const override { return std::make_unique<Constant>(*this); }
  double factor(double, int64_t) const override { return 1; }
};

struct Step : Schedule {
  int64_t every = 10;
  double drop = 0.1;
  std::unique_ptr<Schedule> clone() const override { return std::make_unique<Step>(*this); }
  void fields(Fields& f) override {
    f("every", every, "epochs between two drops", {1, 1e6});
    f("factor", drop, "what the learning rate is multiplied with", {0});
  }
  double factor(double, int64_t epoch) const override { return std::pow(drop, static_cast<double>(epoch / every)); }
};

struct Milestones : Schedule {
  std::vector<int64_t> at;
  double drop = 0.1;
  std::unique_ptr<Schedule> clone() const override { return std::make_unique<Milestones>(*this); }
  void fields(Fields& f) override {
    f("at", at, "epochs done before each drop, increasing");
    f("factor", drop, "what the learning rate is multiplied with", {0});
    f.claim(std::ranges::adjacent_find(at, std::greater_equal{}) == at.end(), "the epochs \"at\" must increase");
  }
  double factor(double, int64_t epoch) const override {
    return std::pow(drop, static_cast<double>(std::ranges::count_if(at, [&](int64_t a) { return a <= epoch; })));
  }
};

struct Exponential : Schedule {
  double drop = 0.95;
  std::unique_ptr<Schedule> clone() const override { return std::make_unique<Exponential>(*this); }
  void fields(Fields& f) override { f("factor", drop, "what the learning rate is multiplied with", {0}); }
  double factor(double, int64_t epoch) const override { return std::pow(drop, static_cast<double>(epoch)); }
};

// Down to `last` of the learning rate at the end of the phase; both ways are smooth in steps.
struct Fall : Schedule {
  double last = 0;
  void fields(Fields& f) override { f("final", last, "share of the learning rate that is left at the end", {0, 1}); }
};

struct Linear : Fall {
  std::unique_ptr<Schedule> clone() const override { return std::make_unique<Linear>(*this); }
  double factor(double progress, int64_t) const override { return 1 + (last - 1) * progress; }
};

struct Cosine : Fall {
  std::unique_ptr<Schedule> clone() const override { return std::make_unique<Cosine>(*this); }
  double factor(double progress, int64_t) const override {
    return last + (1 - last) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  }
};

constexpr ChoiceRow<Schedule> kRows[] = {
    choice_row<Schedule, Constant>("constant", "the same learning rate throughout"),
    choice_row<Schedule, Step>("step", "a drop every so many epochs"),
    choice_row<Schedule, Milestones>("milestones", "a drop at each of the given epochs"),
    choice_row<Schedule, Exponential>("exponential", "a drop after every epoch"),
    choice_row<Schedule, Linear>("linear", "a straight line down to the end of the phase"),
    choice_row<Schedule, Cosine>("cosine", "half a cosine down to the end of the phase   Source: Loshchilov & Hutter 2017"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Schedule>> choices<Schedule>() {
  return kRows;
}

double warmup(double done_epochs, double warmup_epochs) { return done_epochs < warmup_epochs ? done_epochs / warmup_epochs : 1; }

}  // namespace lp

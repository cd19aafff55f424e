// The table of loss scales.
#include "lptrain/train/loss_scale.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/document.h"

namespace lp {
namespace {

constexpr double kSmallest = 0x1p-126, kLargest = 0x1p127;  // powers of two that f32 holds

struct None : LossScale {
  std::unique_ptr<LossScale> clone() const override { return std::make_unique<None>(*this); }
};

struct Static : LossScale {
  double factor = 1024;
  std::unique_ptr<LossScale> clone() const override { return std::make_unique<Static>(*this); }
  void fields(Fields& f) override { f("scale", factor, "the factor on the loss", {kSmallest, kLargest}); }
  double scale() const override { return factor; }
};

struct DynamicState {
  double scale;
  int64_t clean_steps;    // since the scale last changed
  int64_t overflows = 0;  // steps that were not finite, since the scale last grew
  void fields(Fields& f) {
    f("scale", scale, "for the next step", {kSmallest, kLargest});
    f("clean_steps", clean_steps, "finite steps since the scale last changed", {0, 1e15});
    f("overflows", overflows, "steps that were not finite, since the scale last grew", {0, 1e15});
  }
};

struct Dynamic : LossScale {
  double initial = 65536, growth = 2, backoff = 0.5, least = 1;
  int64_t interval = 2000, hysteresis = 1;
  std::optional<DynamicState> now;  // none: before the first step

  std::unique_ptr<LossScale> clone() const override { return std::make_unique<Dynamic>(*this); }
  void fields(Fields& f) override {
    f("initial", initial, "the first factor on the loss", {kSmallest, kLargest});
    f("growth", growth, "what the factor is multiplied with after `interval` finite steps", {1, 65536});
    f("backoff", backoff, "what the factor is multiplied with after a step that is not finite", {kSmallest, 1});
    f("interval", interval, "finite steps in a row before the factor grows", {1, 1e9});
    f("hysteresis", hysteresis, "steps that are not finite, from which on the factor falls; counted anew when it grows",
      {1, 1e9});
    f("min", least, "below this the run counts as diverged", {kSmallest, kLargest});
    f.claim(backoff < 1, "backoff must be below 1");
    f.claim(least <= initial, "min must not exceed initial");
  }

  DynamicState present() const { return now.value_or(DynamicState{initial, 0, 0}); }
  double scale() const override { return present().scale; }
  bool can_skip() const override { return scale() > least || present().overflows + 1 < hysteresis; }

  void report(bool are_finite) override {
    DynamicState s = present();
    if (!are_finite) {
      const bool falls = ++s.overflows >= hysteresis;
      s = {falls ? std::max(s.scale * backoff, least) : s.scale, 0, s.overflows};
    } else if (++s.clean_steps == interval) {
      s = {s.scale * growth <= kLargest ? s.scale * growth : s.scale, 0, 0};
    }
    now = s;
  }

  std::string state() const override { return write(present()).dump(0); }
  void restore(std::string_view text) override {
    try {
      DynamicState s = present();
      read(Document::parse(text, "loss scale"), s);
      now = s;
    } catch (const DocumentError& e) {
      fail(ErrorKind::data, "damaged state of the loss scale: {}", e.what());
    }
  }
};

constexpr ChoiceRow<LossScale> kRows[] = {
    choice_row<LossScale, None>("none", "the loss as it is"),
    choice_row<LossScale, Static>("static", "one factor for the whole phase"),
    choice_row<LossScale, Dynamic>("dynamic",
                                   "grows after a run of finite steps, falls and skips the step when gradients "
                                   "overflow, or errors leave a format that saturates   Source: Micikevicius et al. 2018"),
};

}  // namespace

template <>
std::span<const ChoiceRow<LossScale>> choices<LossScale>() {
  return kRows;
}

}  // namespace lp

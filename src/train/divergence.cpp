// Looks for the first number of a step that is not finite, by taking the step once more.
#include "lptrain/train/divergence.h"

#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

std::string text_of(double v) { return std::isnan(v) ? "NaN" : fmt::format("{:g}", v); }

std::string largest_weight(Model& model) {
  double most = 0;
  std::string name;
  for (const Param* p : model.params()) {
    const double m = largest_magnitude(p->value);
    if (!std::isfinite(m)) return fmt::format("{} holds {}", p->name, text_of(m));
    if (m >= most) most = m, name = p->name;
  }
  return fmt::format("the largest weight is {}, in {}", text_of(most), name);
}

// Hears a pass, forward and back, until something is not finite.
class Trace {
 public:
  void follow(Context& context) {
    context.listen([this](const std::string& layer, const Var& y) { handed_on(layer, largest_magnitude(y.tensor())); });
    context.watch([this](const Look& look) { seen(look); });
  }
  const std::string& found() const { return found_; }  // "": everything that was heard is finite
  bool is_in_errors() const { return is_in_errors_; }

 private:
  void handed_on(const std::string& layer, double most) {
    if (!found_.empty()) return;
    if (!std::isfinite(most))
      found_ = fmt::format("{} hands on {}{}", layer, text_of(most),
                           before_.empty() ? "" : fmt::format(", and {} before it up to {}", before_, text_of(before_most_)));
    before_ = layer;
    before_most_ = most;
  }

  void seen(const Look& look) {
    if (!found_.empty()) return;
    const double x = largest_magnitude(look.x.tensor()), y = look.y.value ? largest_magnitude(look.y.tensor()) : x;
    if (std::isfinite(x) && std::isfinite(y)) return;
    const std::string whose = look.lens.layer().empty() ? "" : " of " + look.lens.layer();
    found_ = fmt::format("the {}{} are {}", word_of(look.lens.role), whose, text_of(std::isfinite(x) ? y : x));
    if (std::isfinite(x))
      found_ += fmt::format(" in {}, which ends at {}: they reach {}", look.lens.format().name(),
                            text_of(look.lens.format().max()), text_of(x));
    is_in_errors_ = look.lens.role == Role::errors;
  }

  std::string found_, before_;
  double before_most_ = 0;
  bool is_in_errors_ = false;
};

std::string advice(const TrainSpec& train, bool is_in_errors) {
  const std::string clip = "gradient clipping (--set train.clip_norm=1)";
  const bool is_scaled = train.loss_scale.name() != "none";
  if (is_in_errors && is_scaled)
    return "Try a lower loss scale, or one that finds its own level (--set train.loss_scale=dynamic)";
  if (is_in_errors) return "Try errors in a format that reaches further (--set precision.errors=bf16), or " + clip;
  return fmt::format("Try a lower learning rate (--set train.optimizer.{}.lr={:g}), {}{}", train.optimizer.name(),
                     train.optimizer->lr / 10, clip,
                     is_scaled ? "" : ", or, with narrow errors, loss scaling (--set train.loss_scale=dynamic)");
}

}  // namespace

void fail_diverged(const DivergedStep& step, const std::string& what) {
  Trace trace;
  Tape tape;
  Context context(&tape, Mode::train, step.key);
  trace.follow(context);
  const Var loss = step.loss(context, tape);
  if (trace.found().empty()) (void)tape.backward(loss, step.loss_scale);
  fail(ErrorKind::diverged, "diverged at step {}: {} is not finite{}; {}. {}", step.step, what,
       trace.found().empty() ? "" : ": " + trace.found(), largest_weight(step.model),
       advice(step.phase.train, trace.is_in_errors()));
}

}  // namespace lp

// Short timed loops.
#include "lptrain/deploy/latency.h"

#include <algorithm>

#include "lptrain/base/trace.h"

namespace lp {
namespace {

constexpr double kBudgetSeconds = 0.25;
constexpr size_t kFewest = 3, kMost = 100;
constexpr double kPairSeconds = 1, kWide = 1.25;
constexpr size_t kParts = 3, kFewestPairs = 2 * kParts, kMostPairs = 5000;

bool takes_tokens(const Model& model) {
  for (size_t i = 0; i < model.lines().size() && sees_input(model.lines(), i); ++i)
    if (model.lines()[i].kind == "embedding") return true;
  return false;
}

// Numbers in (0, 1), as normalized pictures hold; of tokens the first one.
Tensor examples_for(const Model& model, int64_t batch) {
  Tensor x = Tensor::zeros(model.input().behind(batch));
  if (takes_tokens(model)) return x;
  const Key key(1);
  const auto values = x.data<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = key.uniform(i);
  return x;
}

double pass_seconds(Model& model, Context& context, const Tensor& x) {
  const double before = steady_seconds();
  model.forward(context, x).tensor();
  return steady_seconds() - before;
}

}  // namespace

double batch_seconds(Model& model, int64_t batch) {
  const Tensor x = examples_for(model, batch);
  Context context(nullptr, Mode::eval);
  model.forward(context, x);
  std::vector<double> seconds;
  const double start = steady_seconds();
  while (seconds.size() < kFewest || (seconds.size() < kMost && steady_seconds() - start < kBudgetSeconds)) {
    seconds.push_back(pass_seconds(model, context, x));
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::ranges::nth_element(seconds, middle);
  return *middle;
}

bool SpeedUp::is_measurable() const { return high <= kWide * low; }

void SpeedUp::fields(Fields& f) {
  f("before", before, "seconds: the shortest of many passes");
  f("after", after, "likewise");
  f("low", low, "before / after, the lowest of the thirds of the measurement");
  f("high", high, "the highest: far above low on a busy machine");
}

SpeedUp speed_up_in(std::span<const double> before, std::span<const double> after) {
  require(before.size() == after.size() && before.size() >= kParts, "{} and {} times, wanted as many of both, at least {}",
          before.size(), after.size(), kParts);
  SpeedUp s{std::ranges::min(before), std::ranges::min(after), 0, 0};
  for (size_t k = 0; k < kParts; ++k) {
    const size_t begin = k * before.size() / kParts, count = (k + 1) * before.size() / kParts - begin;
    const double ratio = std::ranges::min(before.subspan(begin, count)) / std::ranges::min(after.subspan(begin, count));
    s.low = k > 0 ? std::min(s.low, ratio) : ratio;
    s.high = std::max(s.high, ratio);
  }
  return s;
}

SpeedUp speed_up(Model& before, Model& after, int64_t batch) {
  const Tensor x = examples_for(before, batch);
  Context old_context(nullptr, Mode::eval), new_context(nullptr, Mode::eval);
  pass_seconds(before, old_context, x);
  pass_seconds(after, new_context, x);
  std::vector<double> old_seconds, new_seconds;
  const double start = steady_seconds();
  while (old_seconds.size() < kFewestPairs || (old_seconds.size() < kMostPairs && steady_seconds() - start < kPairSeconds)) {
    old_seconds.push_back(pass_seconds(before, old_context, x));
    new_seconds.push_back(pass_seconds(after, new_context, x));
  }
  return speed_up_in(old_seconds, new_seconds);
}

}  // namespace lp

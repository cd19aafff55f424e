// A short timed loop.
#include "lptrain/deploy/latency.h"

#include <algorithm>
#include <chrono>

namespace lp {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kBudgetSeconds = 0.25;
constexpr size_t kFewest = 3, kMost = 100;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Numbers in (0, 1), as normalized pictures hold.
Tensor examples_for(const Model& model, int64_t batch) {
  Tensor x(model.input().behind(batch));
  const Key key(1);
  const auto values = x.data<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = key.uniform(i);
  return x;
}

}  // namespace

double batch_seconds(Model& model, int64_t batch) {
  const Tensor x = examples_for(model, batch);
  Context context(nullptr, Mode::eval);
  model.forward(context, x);
  std::vector<double> seconds;
  const Clock::time_point start = Clock::now();
  while (seconds.size() < kFewest || (seconds.size() < kMost && seconds_since(start) < kBudgetSeconds)) {
    const Clock::time_point before = Clock::now();
    model.forward(context, x).tensor();
    seconds.push_back(seconds_since(before));
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::ranges::nth_element(seconds, middle);
  return *middle;
}

}  // namespace lp

// A short timed loop.
#include "lptrain/deploy/latency.h"

#include <algorithm>

#include "lptrain/base/trace.h"

namespace lp {
namespace {

constexpr double kBudgetSeconds = 0.25;
constexpr size_t kFewest = 3, kMost = 100;

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

}  // namespace

double batch_seconds(Model& model, int64_t batch) {
  const Tensor x = examples_for(model, batch);
  Context context(nullptr, Mode::eval);
  model.forward(context, x);
  std::vector<double> seconds;
  const double start = steady_seconds();
  while (seconds.size() < kFewest || (seconds.size() < kMost && steady_seconds() - start < kBudgetSeconds)) {
    const double before = steady_seconds();
    model.forward(context, x).tensor();
    seconds.push_back(steady_seconds() - before);
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::ranges::nth_element(seconds, middle);
  return *middle;
}

}  // namespace lp

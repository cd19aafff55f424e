// Looking at a trained model.
#include "lptrain/app/examination.h"

#include <algorithm>
#include <cmath>

namespace lp {
namespace {

constexpr size_t kMostMistakes = 18;
constexpr int64_t kMostClasses = 1000;

double score_of(std::span<const double> logits, int32_t predicted) {
  const double score = softmax(logits)[static_cast<size_t>(predicted)];
  return std::isfinite(score) ? score : 0;
}

}  // namespace

Examination examine(Model& model, const Loss& loss, const Dataset& data, int64_t batch) {
  LoaderOptions options;
  options.batch = batch;
  Examination e;
  const int64_t named = std::max(std::ssize(data.classes), model.output().back());  // a model may know more classes
  if (named <= kMostClasses) e.confusion.emplace(named);
  Context context(nullptr, Mode::eval);
  BatchStream stream = Loader(data, data.test, options).epoch(0);
  while (auto b = stream.next()) {
    const Tensor logits = convert(model.forward(context, b->x).tensor(), DType::f64);
    const std::vector<int32_t> predicted = classes_of(loss, logits);
    if (e.confusion) e.confusion->add(predicted, b->labels);
    const size_t classes = static_cast<size_t>(logits.shape().back());
    for (size_t i = 0; i < predicted.size(); ++i)
      if (predicted[i] != b->labels[i])
        e.mistakes.push_back({b->first + static_cast<int64_t>(i), b->labels[i], predicted[i],
                              score_of(logits.data<double>().subspan(i * classes, classes), predicted[i])});
  }
  std::ranges::stable_sort(e.mistakes, std::greater{}, &Mistake::score);
  e.mistakes.resize(std::min(e.mistakes.size(), kMostMistakes));
  e.tensors = view_tensors(model, loss, data);
  return e;
}

}  // namespace lp

// Looking at a trained model.
#include "lptrain/app/examination.h"

#include <algorithm>
#include <cmath>

namespace lp {
namespace {

constexpr size_t kMostMistakes = 18, kBars = 48;
constexpr int64_t kMostLevels = 64, kExamples = 64, kMostClasses = 1000;

// What the elements of a value are divided by to be on one grid, and that grid.
struct Grid {
  std::optional<Format> format;
  Tensor scale;
  Lanes lanes;
  int32_t zero_point = 0;

  double scale_of(int64_t i) const {
    return static_cast<double>(scale.data<float>()[static_cast<size_t>(i / lanes.inner % lanes.channels)]);
  }
};

Grid grid_of(const Look& look) {
  const Shape& shape = look.x.tensor().shape();
  if (look.scale) {
    const Quantizer& q = *look.how.quantizer;
    return {q.grid(), look.scale, lanes_of(shape, q.per, look.how.axis), look.how.zero_point};
  }
  const Codes* codes = look.x.value.codes();
  if (!codes) return {};
  const int axis = std::max(codes->axis, 0);
  return {codes->format, codes->scale, lanes_of(shape, codes->is_per_tensor() ? Per::tensor : Per::channel, axis),
          codes->zero_point};
}

std::vector<double> in_units(const Tensor& x, const Grid& grid) {
  std::vector<double> u;
  u.reserve(static_cast<size_t>(x.size()));
  visit_real(x.dtype(), [&]<class T>() {
    for (int64_t i = 0; i < x.size(); ++i) {
      const double v = static_cast<double>(x.data<T>()[static_cast<size_t>(i)]) / (grid.format ? grid.scale_of(i) : 1);
      if (std::isfinite(v)) u.push_back(v);
    }
  });
  return u;
}

// Reals of the format as the elements see them, past the zero point.
void add_levels(const Grid& grid, Histogram& h) {
  const Format& f = *grid.format;
  h.format = f.name();
  h.level_count = f.hi() - f.lo() + 1;
  const auto real = [&](int64_t code) { return f.value(code) - (f.is_integer_grid() ? grid.zero_point : 0); };
  if (h.level_count <= kMostLevels) {  // few: all of them are shown
    h.low = std::min(h.low, real(f.lo()));
    h.high = std::max(h.high, real(f.hi()));
  }
  const int64_t first = f.floor(h.low + grid.zero_point), last = f.floor(h.high + grid.zero_point);
  if (last - first > kMostLevels) return;
  for (int64_t code = first; code <= last; ++code)
    if (real(code) >= h.low && real(code) <= h.high) h.levels.push_back(real(code));
}

// Looks at the weights and activations of every layer while a few examples pass.
std::vector<LayerView> view_layers(Model& model, const Dataset& data) {
  const Subset& split = data.validation.size() > 0 ? data.validation : data.test;
  LoaderOptions options;
  options.batch = kExamples;
  options.ahead = 0;
  std::vector<LayerView> views;
  for (const LayerLine& line : model.lines())
    if (line.product) views.push_back({line.name, {}, {}});
  Context context(nullptr, Mode::eval);
  context.watch([&](const Look& look) {
    const auto view = std::ranges::find(views, look.lens.layer(), &LayerView::name);
    if (view == views.end()) return;
    if (look.lens.role == Role::weights) view->weights = histogram_of(look);
    if (look.lens.role == Role::activations) view->activations = histogram_of(look);
  });
  model.forward(context, Loader(data, split, options).batch(0, 0).x);
  return views;
}

double score_of(std::span<const double> logits, int32_t predicted) {
  const double score = softmax(logits)[static_cast<size_t>(predicted)];
  return std::isfinite(score) ? score : 0;
}

}  // namespace

Histogram histogram_of(const Look& look) {
  const Grid grid = grid_of(look);
  const std::vector<double> u = in_units(look.x.tensor(), grid);
  Histogram h;
  if (!u.empty()) h.low = std::ranges::min(u), h.high = std::ranges::max(u);
  if (grid.format) add_levels(grid, h);
  if (h.low == h.high) h.low -= 1, h.high += 1;
  h.counts.assign(kBars, 0);
  const double width = (h.high - h.low) / static_cast<double>(kBars);
  for (double v : u) ++h.counts[std::min(kBars - 1, static_cast<size_t>((v - h.low) / width))];
  return h;
}

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
  e.layers = view_layers(model, data);
  return e;
}

}  // namespace lp

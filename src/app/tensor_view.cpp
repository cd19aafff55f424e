// Looking at tensors through their lenses.
#include "lptrain/app/tensor_view.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr size_t kBars = 48;
constexpr int64_t kMostLevels = 64, kExamples = 64;

// What the elements of a value are divided by to be on one grid, and that grid.
struct Grid {
  std::optional<Format> format;
  Tensor scale;
  Lanes lanes;
  int32_t zero_point = 0;
  int64_t row = 1, whole_row = 1;  // elements of a row, and of one that is filled up to whole blocks

  double scale_of(int64_t i) const {
    const int64_t at = row == whole_row ? i : i / row * whole_row + i % row;
    return static_cast<double>(scale.data<float>()[static_cast<size_t>(at / lanes.inner % lanes.channels)]);
  }
};

Grid grid_of(const Look& look) {
  const Shape& shape = look.x.tensor().shape();
  const int64_t row = shape.rank() > 0 ? std::max<int64_t>(1, shape.back()) : 1;
  if (look.scale) {
    const Quantizer& q = *look.how.quantizer;
    const int64_t missing = missing_in_blocks(shape, q.per);
    const Shape whole = missing ? shape.with(-1, shape.back() + missing) : shape;
    return {q.grid(), look.scale, lanes_of(whole, q.per, look.how.axis), look.how.zero_point, row, row + missing};
  }
  const Codes* codes = look.x.value.codes();
  if (!codes) return {};
  const int axis = std::max(codes->axis, 0);
  return {codes->format, codes->scale, lanes_of(shape, codes->is_per_tensor() ? Per::tensor : Per::channel, axis),
          codes->zero_point};
}

std::vector<double> finite_in_units(const Tensor& x, const Grid& grid) {
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

int64_t level_count(const Format& f) { return f.hi() - f.lo() + 1; }

// Reals of the format as the elements see them, past the zero point.
void add_levels(const Grid& grid, Histogram& h) {
  const Format& f = *grid.format;
  const auto real = [&](int64_t code) { return f.value(code) - (f.is_integer_grid() ? grid.zero_point : 0); };
  if (level_count(f) <= kMostLevels) {  // few: all of them are shown
    h.low = std::min(h.low, real(f.lo()));
    h.high = std::max(h.high, real(f.hi()));
  }
  const int64_t first = f.floor(h.low + grid.zero_point), last = f.floor(h.high + grid.zero_point);
  if (last - first > kMostLevels) return;
  for (int64_t code = first; code <= last; ++code)
    if (real(code) >= h.low && real(code) <= h.high) h.levels.push_back(real(code));
}

Histogram histogram_of(const Tensor& x, const Grid& grid) {
  const std::vector<double> u = finite_in_units(x, grid);
  Histogram h;
  if (!u.empty()) h.low = std::ranges::min(u), h.high = std::ranges::max(u);
  if (grid.format) add_levels(grid, h);
  if (h.low == h.high) h.low -= 1, h.high += 1;
  h.counts.assign(kBars, 0);
  const double width = (h.high - h.low) / static_cast<double>(kBars);
  for (double v : u) ++h.counts[std::min(kBars - 1, static_cast<size_t>((v - h.low) / width))];
  return h;
}

// Different codes that occur; different reals, if a rule with a formula of its own made them.
int64_t codes_used(const Look& look) {
  const auto different = [](auto all) {
    std::ranges::sort(all);
    return std::unique(all.begin(), all.end()) - all.begin();
  };
  if (look.scale) {
    const Tensor codes = codes_of(look.x.tensor(), look.scale, look.how);
    return different(std::vector<int32_t>(codes.data<int32_t>().begin(), codes.data<int32_t>().end()));
  }
  return different(finite_in_units(look.y.tensor(), {}));
}

void add_scales(const Grid& grid, TensorView& view) {
  view.format = grid.format->name();
  if (grid.format->bits() < 63) view.levels = level_count(*grid.format);
  const auto scales = grid.scale.data<float>();
  view.scales = std::ssize(scales);
  view.least_scale = static_cast<double>(std::ranges::min(scales));
  view.greatest_scale = static_cast<double>(std::ranges::max(scales));
  view.zero_point = grid.zero_point;
}

void add_range(const Tensor& x, TensorView& view) {
  std::vector<double> finite = finite_in_units(x, {});
  if (!finite.empty()) view.low = std::ranges::min(finite), view.high = std::ranges::max(finite);
}

bool is_worth_showing(const Look& look) {
  return !look.lens.is_identity() || look.lens.role == Role::weights || look.lens.role == Role::activations;
}

// Whatever lenses look at, in the order in which they do.
std::vector<TensorView> looks_at(Model& model, const Loss& loss, const Batch& batch) {
  std::vector<TensorView> views;
  Tape tape;
  Context context(&tape, Mode::eval);
  context.watch([&](const Look& look) {
    if (is_worth_showing(look)) views.push_back(view_of(look));
  });
  tape.backward(loss(model.forward(context, batch.x), batch.labels));
  return views;
}

std::string range_text(double low, double high) {
  return low == high ? fmt::format("{:.3g}", low) : fmt::format("{:.3g} .. {:.3g}", low, high);
}
// "-2e-4": ticks between which there is little room.
std::string tiny_text(double v) {
  const int exponent = v == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::abs(v)) + 1e-9));
  return v == 0 ? "0" : fmt::format("{:.3g}e{}", v / std::pow(10.0, exponent), exponent);
}
std::string percent_cell(double share) { return share > 0 ? fmt::format("{:.2f}", 100 * share) : "-"; }

std::vector<std::string> cells_of(const TensorView& v) {
  const Tally& t = v.tally;
  std::vector<std::string> row{v.layer,
                               std::string(word_of(v.role)),
                               v.format.empty() ? "-" : v.format,
                               grouped(t.numbers),
                               range_text(v.low, v.high),
                               v.scales ? range_text(v.least_scale, v.greatest_scale) : "",
                               v.zero_point ? std::to_string(v.zero_point) : ""};
  if (!v.is_quantized_here()) {
    row.resize(11);
    row.push_back(percent_cell(t.share(&Tally::zeros)));
    return row;
  }
  row.push_back(v.levels && v.levels < 1 << 16 ? fmt::format("{} of {}", v.levels_used, v.levels)
                                               : std::to_string(v.levels_used));
  row.push_back(v.sqnr_text());
  row.push_back(percent_cell(t.share(&Tally::saturated) + t.share(&Tally::overflows)));
  row.push_back(percent_cell(t.share(&Tally::underflows)));
  row.push_back(percent_cell(t.numbers ? static_cast<double>(t.zeros + t.underflows) / static_cast<double>(t.numbers) : 0));
  return row;
}

}  // namespace

void Histogram::fields(Fields& f) {
  f("low", low, "left end of the bars, in units of the scale");
  f("high", high, "right end");
  f("counts", counts, "of bars of equal width");
  f("levels", levels, "reals of the format between them, unless they are many");
}

std::string TensorView::name() const {
  return layer.empty() ? std::string(word_of(role)) : fmt::format("{} {}", layer, word_of(role));
}

std::string TensorView::sqnr_text() const {
  if (!is_quantized_here()) return "";
  return std::isfinite(tally.sqnr_db()) ? fmt::format("{:.1f}", tally.sqnr_db()) : "exact";
}

void TensorView::fields(Fields& f) {
  f("layer", layer, "name; empty: the network's input");
  f("role", role, "of the numbers");
  f("format", format, "that they become; empty if not quantized");
  f("low", low, "least element");
  f("high", high, "greatest element");
  f("scales", scales, "how many; 0 if not quantized");
  f("least_scale", least_scale, "of them");
  f("greatest_scale", greatest_scale, "of them");
  f("zero_point", zero_point, "code of 0");
  f("levels", levels, "reals that the format has");
  f("levels_used", levels_used, "of them, those that occur; 0 if the numbers came with codes, or are not quantized");
  std::optional<double> sqnr;
  if (is_quantized_here() && std::isfinite(tally.sqnr_db())) sqnr = tally.sqnr_db();
  f("sqnr_db", sqnr, "10 log10(sum x^2 / sum (q - x)^2); null if nothing is lost");
  tally.fields(f);
  f("histogram", histogram, "where they lie, in units of the scale");
}

TensorView view_of(const Look& look) {
  const Tensor& x = look.x.tensor();
  const Grid grid = grid_of(look);
  TensorView view;
  view.layer = look.lens.layer();
  view.role = look.lens.role;
  view.tally = tally(x, look.y.tensor(), look.scale, look.how);
  add_range(x, view);
  if (grid.format) add_scales(grid, view);
  if (is_quantized(look)) {
    view.format = look.how.quantizer->grid().name();
    view.levels_used = codes_used(look);
  }
  view.histogram = histogram_of(x, grid);
  return view;
}

std::vector<TensorView> view_tensors(Model& model, const Loss& loss, const Dataset& data) {
  const Subset& split = data.validation.size() > 0 ? data.validation : data.test;
  LoaderOptions options;
  options.batch = kExamples;
  options.ahead = 0;
  std::vector<TensorView> views = looks_at(model, loss, Loader(data, split, options).batch(0, 0));
  const auto place = [&](const TensorView& v) {
    const auto line = std::ranges::find(model.lines(), v.layer, &LayerLine::name);
    return v.layer.empty() ? -1 : line - model.lines().begin();
  };
  std::ranges::stable_sort(views, {}, [&](const TensorView& v) { return std::pair(place(v), v.role); });
  return views;
}

const TensorView* find_view(const std::vector<TensorView>& views, const std::string& layer, Role role) {
  const auto found = std::ranges::find_if(views, [&](const TensorView& v) { return v.layer == layer && v.role == role; });
  return found == views.end() ? nullptr : &*found;
}

Cells view_cells(const std::vector<TensorView>& views) {
  Cells cells{{"layer", "role", "format", "numbers", "range", "scale", "zero point", "codes", "SQNR dB", "cut off %",
               "become 0 %", "zeros %"}};
  for (const TensorView& v : views) cells.push_back(cells_of(v));
  return cells;
}

Plot histogram_plot(const TensorView& view, double width, double height, std::string axis_name) {
  const Histogram& h = view.histogram;
  std::vector<double> heights;
  for (int64_t count : h.counts) heights.push_back(std::sqrt(static_cast<double>(count)));
  PlotAxis axis = linear_axis(std::move(axis_name), std::vector{h.low, h.high}, "", width > 400 ? 9 : 4);
  axis.low = h.low;
  axis.high = h.high;
  if (h.high - h.low < 0.01) axis.label = tiny_text;
  std::erase_if(axis.ticks, [&](double v) { return v < h.low || v > h.high; });
  const double most = heights.empty() ? 1 : std::max(1.0, std::ranges::max(heights));
  Plot plot(width, height, axis, {view.name(), 0, most, false, {}, {}});
  plot.bars(h.low, h.high, heights, view.role == Role::weights ? 0 : view.role == Role::errors ? 1 : 2);
  plot.rules(h.levels, 4);
  return plot;
}

}  // namespace lp

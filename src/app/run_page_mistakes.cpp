// What a model takes for what: the confusion matrix, and its worst mistakes as pictures.
#include <algorithm>
#include <cmath>

#include "lptrain/app/data_facts.h"
#include "lptrain/app/html.h"
#include "lptrain/app/scores.h"
#include "lptrain/base/plot.h"
#include "lptrain/base/text.h"
#include "lptrain/data/image.h"
#include "run_page_parts.h"

namespace lp {
namespace {

constexpr int64_t kMostSquares = 40, kMostWritten = 20;  // classes
constexpr size_t kMostPairs = 10, kMostColumns = 8;

std::string class_name(const Dataset& data, int64_t k) {
  return k < std::ssize(data.classes) ? data.classes[static_cast<size_t>(k)] : fmt::format("class {}", k);
}

int64_t examples_of(const Confusion& confusion, int64_t label) {
  int64_t n = 0;
  for (int64_t k = 0; k < confusion.classes(); ++k) n += confusion.count(label, k);
  return n;
}

// Rows are true classes. What is right has one colour, what is wrong another, stronger than its share: one in a hundred is seen.
std::string matrix(const Confusion& confusion, const Dataset& data) {
  const int64_t n = confusion.classes();
  std::vector<std::string> names;
  std::vector<HeatCell> cells;
  for (int64_t r = 0; r < n; ++r) {
    names.push_back(class_name(data, r));
    const double all = static_cast<double>(std::max<int64_t>(1, examples_of(confusion, r)));
    for (int64_t c = 0; c < n; ++c) {
      const int64_t count = confusion.count(r, c);
      const double share = static_cast<double>(count) / all;
      cells.push_back({r == c ? share : std::sqrt(share), r != c, count && n <= kMostWritten ? fmt::format("{}", count) : "",
                       fmt::format("{} taken for {}: {} ({})", names.back(), class_name(data, c), count, percent(share))});
    }
  }
  return html::figure(heat_map(names, names, cells, "confusion matrix"), "Rows: the true class. Columns: what the model says.");
}

std::string worst_pairs(const Confusion& confusion, const Dataset& data) {
  struct Pair {
    int64_t label, predicted, count;
  };
  std::vector<Pair> pairs;
  for (int64_t r = 0; r < confusion.classes(); ++r)
    for (int64_t c = 0; c < confusion.classes(); ++c)
      if (r != c && confusion.count(r, c) > 0) pairs.push_back({r, c, confusion.count(r, c)});
  std::ranges::stable_sort(pairs, std::greater{}, &Pair::count);
  if (pairs.empty()) return "<p>Nothing is confused.</p>\n";
  pairs.resize(std::min(pairs.size(), kMostPairs));
  Cells rows{{"true", "taken for", "times", "of the class"}};
  for (const Pair& p : pairs)
    rows.push_back({class_name(data, p.label), class_name(data, p.predicted), fmt::format("{}", p.count),
                    percent(static_cast<double>(p.count) / static_cast<double>(examples_of(confusion, p.label)))});
  return html::table(rows);
}

int64_t row_of(const Dataset& data, const Mistake& m) { return data.test.rows[static_cast<size_t>(m.index)]; }

std::string picture(const Dataset& data, const Mistake& m) {
  const Tensor& inputs = data.test.examples->inputs;
  const Shape s = inputs.shape();
  const auto pixels =
      inputs.data<uint8_t>().subspan(static_cast<size_t>(row_of(data, m) * s.after(0)), static_cast<size_t>(s.after(0)));
  const Image image{static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3]), {pixels.begin(), pixels.end()}};
  const std::string label = class_name(data, m.label), taken = class_name(data, m.predicted);
  return fmt::format(
      "<figure><img class=\"picture\" alt=\"test example {}\" src=\"data:image/png;base64,{}\"><figcaption><b>{}</b> taken for "
      "<b>{}</b><br>{} sure</figcaption></figure>\n",
      m.index, base64(encode_png(image)), escaped(label), escaped(taken), percent(m.score));
}

std::string listed_texts(const Dataset& data, const std::vector<Mistake>& mistakes) {
  Cells rows{{"example", "true", "taken for", "sure", "text"}};
  for (const Mistake& m : mistakes)
    rows.push_back({fmt::format("{}", m.index), class_name(data, m.label), class_name(data, m.predicted), percent(m.score),
                    shown_text(data.text(*data.test.examples, row_of(data, m)))});
  return html::table(rows);
}

// Examples of a table, by their first columns.
std::string listed(const Dataset& data, const std::vector<Mistake>& mistakes) {
  if (data.are_texts()) return listed_texts(data, mistakes);
  const Tensor& inputs = data.test.examples->inputs;
  const size_t all = static_cast<size_t>(inputs.shape().after(0)), shown = std::min(all, kMostColumns);
  Cells rows{{"example", "true", "taken for", "sure"}};
  for (size_t c = 0; c < shown; ++c)
    rows[0].push_back(c < data.columns.size() ? data.columns[c] : fmt::format("column {}", c + 1));
  for (const Mistake& m : mistakes) {
    auto& row = rows.emplace_back(std::vector<std::string>{fmt::format("{}", m.index), class_name(data, m.label),
                                                           class_name(data, m.predicted), percent(m.score)});
    for (size_t c = 0; c < shown; ++c)
      row.push_back(fmt::format("{:.4g}", inputs.data<float>()[static_cast<size_t>(row_of(data, m)) * all + c]));
  }
  return html::table(rows);
}

}  // namespace

std::string mistakes_section(const Examination& e, const Dataset& data) {
  std::string s;
  if (e.confusion) {
    const std::string pairs = html::figure(worst_pairs(*e.confusion, data), "What is confused most often.");
    const std::string body = e.confusion->classes() <= kMostSquares ? matrix(*e.confusion, data) + pairs : pairs;
    s += html::section("What it confuses", fmt::format("The {} examples of the test split.", grouped(e.confusion->total())),
                       html::columns(body));
  }
  if (e.mistakes.empty()) return s;
  std::string shown;
  if (!data.are_images())
    shown = listed(data, e.mistakes);
  else if (const int64_t channels = data.test.examples->inputs.shape()[3]; channels == 1 || channels == 3)
    for (const Mistake& m : e.mistakes) shown += picture(data, m);
  if (data.are_images() && !shown.empty()) shown = fmt::format("<div class=\"gallery small\">\n{}</div>\n", shown);
  return s + html::section("Worst mistakes", "Wrong test examples, those that the model is surest of first.", shown);
}

}  // namespace lp

// The grammar of patterns, and how they cut a tensor of weights.
#include "lptrain/prune/pattern.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr int64_t kMost = 1 << 20;

struct Word {
  std::string_view word;
  Pattern::Kind kind;
};
constexpr Word kWords[] = {{"unstructured", Pattern::Kind::unstructured},
                           {"rows", Pattern::Kind::rows},
                           {"filters", Pattern::Kind::rows},
                           {"neurons", Pattern::Kind::rows}};

std::optional<int64_t> number_in(std::string_view digits) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc() || end != digits.data() + digits.size() || n < 1 || n > kMost) return {};
  return n;
}

// Two numbers on both sides of a sign.
std::optional<Pattern> pair_in(std::string_view text, char sign, Pattern::Kind kind) {
  const size_t at = text.find(sign);
  if (at == text.npos) return {};
  const auto a = number_in(text.substr(0, at)), b = number_in(text.substr(at + 1));
  if (!a || !b) return {};
  return Pattern{kind, *a, *b};
}

// Every weight's unit is a function of its row and column.
template <class F>
Units cut(const Shape& w, int64_t count, F unit) {
  const int64_t rows = w.rank() == 0 ? 1 : w[0], columns = w.size() / std::max<int64_t>(1, rows);
  Units u;
  u.count = count;
  u.of.resize(static_cast<size_t>(w.size()));
  u.sizes.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < w.size(); ++i) {
    const int64_t k = unit(i / columns, i % columns);
    u.of[static_cast<size_t>(i)] = k;
    ++u.sizes[static_cast<size_t>(k)];
  }
  return u;
}

}  // namespace

Pattern Pattern::parse(std::string_view text) {
  for (const Word& w : kWords)
    if (w.word == text) return {w.kind, 0, 0};
  if (const auto p = pair_in(text, 'x', Kind::blocks)) return *p;
  if (const auto p = pair_in(text, ':', Kind::n_of_m)) {
    require(p->first < p->second, "pattern \"{}\": of {} weights {} stay, so none goes; wanted n < m, as in 2:4", text, p->second,
            p->first);
    return *p;
  }
  fail(ErrorKind::usage, "unknown pattern \"{}\"{}; wanted a word, n:m as in 2:4, or blocks as in 4x4", text,
       suggestion(text, known()));
}

std::string Pattern::name() const {
  if (kind == Kind::n_of_m) return fmt::format("{}:{}", first, second);
  if (kind == Kind::blocks) return fmt::format("{}x{}", first, second);
  return std::string(std::ranges::find(kWords, kind, &Word::kind)->word);
}

std::vector<std::string> Pattern::known() {
  std::vector<std::string> words;
  for (const Word& w : kWords) words.emplace_back(w.word);
  words.insert(words.end(), {"2:4", "1:4", "4x4"});
  return words;
}

std::optional<double> Pattern::sparsity() const {
  if (kind != Kind::n_of_m) return {};
  return 1 - static_cast<double>(first) / static_cast<double>(second);
}

Units units_of(const Shape& w, const Pattern& p) {
  const int64_t rows = w.rank() == 0 ? 1 : w[0], columns = w.size() / std::max<int64_t>(1, rows);
  if (p.kind == Pattern::Kind::rows) return cut(w, rows, [](int64_t r, int64_t) { return r; });
  if (p.kind == Pattern::Kind::blocks) {
    const int64_t across = (columns + p.second - 1) / p.second, down = (rows + p.first - 1) / p.first;
    return cut(w, across * down, [&](int64_t r, int64_t c) { return r / p.first * across + c / p.second; });
  }
  Units u = cut(w, w.size(), [columns](int64_t r, int64_t c) { return r * columns + c; });
  if (p.kind == Pattern::Kind::n_of_m)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; c += p.second) u.ends.push_back(r * columns + std::min(c + p.second, columns));
  return u;
}

}  // namespace lp

// Rows of numbers to padded sequences.
#include "lptrain/data/decode_blocks.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace lp {
namespace {

constexpr std::string_view kBlanks = " \t\r";

class BlockReader {
 public:
  BlockReader(const BlocksLayout& layout, const Input& file) : layout_(layout), file_(file.name) {
    const std::string text = file.read();
    for (size_t at = 0; at < text.size(); ++line_) {
      const size_t end = std::min(text.find('\n', at), text.size());
      take(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    if (!rows_.empty())
      fail("the last block has {} rows and no end; the file is cut off", rows_.size() / static_cast<size_t>(layout_.columns));
  }
  const std::vector<std::vector<float>>& blocks() const { return blocks_; }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) const {
    lp::fail(ErrorKind::data, "{}:{}: {}", file_, line_, fmt::format(message, std::forward<Args>(args)...));
  }

  void take(std::string_view line) {
    std::vector<float> row;
    for (size_t at = line.find_first_not_of(kBlanks); at != line.npos; at = line.find_first_not_of(kBlanks, at)) {
      const size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
      row.push_back(number(line.substr(at, end - at)));
      at = end;
    }
    const auto is_end = [&](float v) { return layout_.end && v == static_cast<float>(*layout_.end); };
    if (std::ranges::all_of(row, is_end)) return finish();  // a blank line too
    if (std::ssize(row) != layout_.columns) fail("{} numbers, wanted {}", row.size(), layout_.columns);
    if (std::ssize(rows_) == layout_.length * layout_.columns)
      fail("the block has more than {} rows; a larger \"length\" of the card's decoder admits them", layout_.length);
    rows_.insert(rows_.end(), row.begin(), row.end());
  }

  float number(std::string_view word) const {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(static_cast<float>(value)))
      fail("found \"{}\", wanted a finite number", word.substr(0, 40));
    return static_cast<float>(value);
  }

  void finish() {
    if (!rows_.empty()) blocks_.push_back(std::move(rows_));
    rows_.clear();
  }

  const BlocksLayout& layout_;
  std::string file_;
  int64_t line_ = 1;
  std::vector<float> rows_;  // of the block that is being read
  std::vector<std::vector<float>> blocks_;
};

Examples examples_of(const BlocksLayout& layout, const std::vector<Input>& files, const std::vector<int64_t>& counts,
                     std::string_view split) {
  if (files.empty()) return {};
  if (files.size() != 1) fail(ErrorKind::data, "blocks: the {} split wants one file, found {}", split, files.size());
  const BlockReader reader(layout, files[0]);
  const int64_t wanted = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  if (std::ssize(reader.blocks()) != wanted)
    fail(ErrorKind::data, "{}: {} blocks, but the card's classes have {} in the {} split", files[0].name, reader.blocks().size(),
         wanted, split);
  Examples examples{Tensor::zeros(Shape{wanted, layout.length, layout.columns}), {}};
  float* to = examples.inputs.data<float>().data();
  for (const std::vector<float>& block : reader.blocks())
    to = std::ranges::copy(block, to + layout.length * layout.columns - std::ssize(block)).out;
  for (size_t c = 0; c < counts.size(); ++c)
    examples.labels.insert(examples.labels.end(), static_cast<size_t>(counts[c]), static_cast<int32_t>(c));
  return examples;
}

}  // namespace

void BlocksLayout::fields(Fields& f) {
  f("columns", columns, "numbers of a row", {1, 10000});
  f("length", length, "most rows of a block; shorter ones stand behind rows of zeros", {1, 10000});
  f("end", end, "a row of nothing but this number ends a block, as a blank line does");
  f("train", train, "blocks of each class in the training file, one class after the other");
  f("test", test, "the same of the test file");
  for (const std::vector<int64_t>* counts : {&train, &test})
    f.claim(std::ranges::all_of(*counts, [](int64_t n) { return n >= 0 && n <= 10'000'000; }), "numbers of blocks are 0 to 1e7");
}

Decoded decode_blocks(const BlocksLayout& layout, const Inputs& inputs) {
  return {
      examples_of(layout, inputs.train, layout.train, "train"), examples_of(layout, inputs.test, layout.test, "test"), {}, {}};
}

}  // namespace lp

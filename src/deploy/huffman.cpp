// Canonical Huffman codes of at most 15 bits.
#include "lptrain/deploy/huffman.h"

#include <algorithm>
#include <array>
#include <queue>
#include <vector>

namespace lp {
namespace {

constexpr int kMostBits = 15;
constexpr int64_t kHeader = 4;  // bytes of lo and hi

// The lengths of Huffman's words: the two rarest subtrees become one, again and again.
std::vector<int> huffman_lengths(const std::vector<int64_t>& counts) {
  struct Tree {
    int64_t count;
    size_t node;
    bool operator<(const Tree& o) const { return count != o.count ? count > o.count : node > o.node; }  // the rarest on top
  };
  std::vector<size_t> parent(counts.size());
  std::priority_queue<Tree> trees;
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) trees.push({counts[i], i});
  std::vector<int> lengths(counts.size());
  if (trees.size() == 1) lengths[trees.top().node] = 1;
  while (trees.size() > 1) {
    const Tree a = trees.top();
    trees.pop();
    const Tree b = trees.top();
    trees.pop();
    parent[a.node] = parent[b.node] = parent.size();
    trees.push({a.count + b.count, parent.size()});
    parent.push_back(0);
  }
  for (size_t i = 0; i < counts.size(); ++i)
    for (size_t at = i; counts[i] > 0 && parent[at] != 0; at = parent[at]) ++lengths[i];
  return lengths;
}

std::vector<int> lengths_of(std::vector<int64_t> counts) {
  std::vector<int> lengths = huffman_lengths(counts);
  while (std::ranges::max(lengths) > kMostBits) {
    for (int64_t& count : counts) count = (count + 1) / 2;
    lengths = huffman_lengths(counts);
  }
  return lengths;
}

// The words of a code: those of one length are neighbours, and their numbers lie in order.
struct Words {
  std::array<uint32_t, kMostBits + 1> first = {}, count = {}, begin = {};  // by length: first word, how many, where in `numbers`
  std::vector<uint32_t> numbers;                                           // by length, then by number
  int64_t room = int64_t{1} << kMostBits;                                  // that the words leave, in words of 15 bits

  explicit Words(const std::vector<int>& lengths) {
    for (const int n : lengths) count[static_cast<size_t>(n)] += n > 0;
    for (size_t n = 1; n <= kMostBits; ++n) {
      first[n] = (first[n - 1] + count[n - 1]) << 1;
      begin[n] = begin[n - 1] + count[n - 1];
      room -= int64_t{count[n]} << (kMostBits - n);
      for (size_t i = 0; i < lengths.size(); ++i)
        if (lengths[i] == static_cast<int>(n)) numbers.push_back(static_cast<uint32_t>(i));
    }
  }
};

std::vector<uint32_t> words_by_number(const std::vector<int>& lengths) {
  const Words words(lengths);
  std::vector<uint32_t> list(lengths.size());
  std::array<uint32_t, kMostBits + 1> next = words.first;
  for (size_t i = 0; i < lengths.size(); ++i)
    if (lengths[i] > 0) list[i] = next[static_cast<size_t>(lengths[i])]++;
  return list;
}

int64_t table_bytes(int64_t lo, int64_t hi) { return kHeader + (hi - lo + 2) / 2; }

[[noreturn]] void damaged(std::string_view place, const char* what) {
  fail(ErrorKind::data, "{}: its Huffman code is damaged: {}", place, what);
}

// The lengths of lo .. hi, which must be those of a code.
std::vector<int> read_lengths(std::span<const uint8_t> in, uint32_t lo, uint32_t hi, std::string_view place) {
  std::vector<int> lengths;
  for (uint32_t i = 0; i <= hi - lo; ++i)
    lengths.push_back(in[static_cast<size_t>(kHeader) + i / 2] >> (i % 2 == 0 ? 0 : 4) & 15);
  const Words words(lengths);
  if (words.room < 0) damaged(place, "it has more words than bits allow");
  const bool is_alone = words.numbers.size() == 1 && words.count[1] == 1;
  if (words.room > 0 && !is_alone) damaged(place, "some bits are no word");
  return lengths;
}

}  // namespace

Tensor huffman_coded(std::span<const uint32_t> numbers) {
  if (numbers.empty()) return Tensor(Shape{0}, DType::u8);
  const auto [least, greatest] = std::ranges::minmax(numbers);
  require(greatest < kMostSymbols, "huffman: a number {}, wanted 0..{}", greatest, kMostSymbols - 1);
  const uint32_t lo = least, hi = greatest;
  std::vector<int64_t> counts(hi - lo + 1);
  for (const uint32_t n : numbers) ++counts[n - lo];
  const std::vector<int> lengths = lengths_of(counts);
  const std::vector<uint32_t> words = words_by_number(lengths);
  int64_t bits = 0;
  for (size_t i = 0; i < counts.size(); ++i) bits += counts[i] * lengths[i];
  Tensor bytes = Tensor::zeros(Shape{table_bytes(lo, hi) + (bits + 7) / 8}, DType::u8);
  uint8_t* out = bytes.data<uint8_t>().data();
  for (size_t i = 0; i < 2; ++i) out[i] = static_cast<uint8_t>(lo >> (8 * i)), out[2 + i] = static_cast<uint8_t>(hi >> (8 * i));
  for (size_t i = 0; i < lengths.size(); ++i)
    out[static_cast<size_t>(kHeader) + i / 2] |= static_cast<uint8_t>(lengths[i] << (i % 2 == 0 ? 0 : 4));
  out += table_bytes(lo, hi);
  int64_t at = 0;
  for (const uint32_t n : numbers) {
    const size_t i = n - lo;
    for (int bit = lengths[i] - 1; bit >= 0; --bit, ++at) out[at / 8] |= static_cast<uint8_t>((words[i] >> bit & 1) << (at % 8));
  }
  return bytes;
}

std::vector<uint32_t> huffman_decoded(const Tensor& bytes, int64_t count, std::string_view place) {
  const auto in = bytes.data<uint8_t>();
  if (count < 0 || count > 8 * bytes.size()) damaged(place, "it has too few bytes");
  if (count == 0 && bytes.size() == 0) return {};
  if (count == 0) damaged(place, "it has too many bytes");
  if (bytes.size() < kHeader) damaged(place, "it has too few bytes");
  const uint32_t lo = in[0] | uint32_t{in[1]} << 8, hi = in[2] | uint32_t{in[3]} << 8;
  if (lo > hi || hi >= kMostSymbols) damaged(place, "it names no range of numbers");
  if (bytes.size() < table_bytes(lo, hi)) damaged(place, "it has too few bytes");
  const Words words(read_lengths(in, lo, hi, place));
  std::vector<uint32_t> numbers(static_cast<size_t>(count));
  int64_t at = 8 * table_bytes(lo, hi);
  for (uint32_t& number : numbers) {
    uint32_t word = 0;
    for (size_t n = 1;; ++n) {
      if (n > kMostBits || at == 8 * bytes.size())
        damaged(place, at == 8 * bytes.size() ? "it has too few bytes" : "a word is none");
      word = word << 1 | (in[static_cast<size_t>(at / 8)] >> (at % 8) & 1U);
      ++at;
      if (word < words.first[n] || word - words.first[n] >= words.count[n]) continue;
      number = lo + words.numbers[words.begin[n] + word - words.first[n]];
      break;
    }
  }
  if ((at + 7) / 8 != bytes.size()) damaged(place, "it has too many bytes");
  return numbers;
}

}  // namespace lp

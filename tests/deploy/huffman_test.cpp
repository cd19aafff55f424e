// Huffman's words: as short as the theory says, read back as they were; damage is told.
#include "lptrain/deploy/huffman.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "nn/networks.h"

using namespace lp;

namespace {

std::vector<uint32_t> drawn(size_t count, uint64_t seed, double skew, uint32_t most) {
  std::vector<uint32_t> list(count);
  for (size_t i = 0; i < count; ++i)
    list[i] = static_cast<uint32_t>(std::pow(Key(seed).uniform64(i), skew) * static_cast<double>(most));
  return list;
}

double entropy_bits(const std::vector<uint32_t>& list) {
  std::map<uint32_t, double> counts;
  for (const uint32_t n : list) ++counts[n];
  double bits = 0;
  for (const auto& entry : counts) bits -= entry.second * std::log2(entry.second / static_cast<double>(list.size()));
  return bits;
}

int64_t table_bytes(const std::vector<uint32_t>& list) { return 4 + (std::ranges::max(list) - std::ranges::min(list) + 2) / 2; }

}  // namespace

TEST_CASE("a code by hand: the table, then words from the lowest bit of the first byte on") {
  const Tensor bytes = huffman_coded(std::vector<uint32_t>{7, 7, 7, 9, 7, 8, 9, 7});  // 7: 0, 8: 10, 9: 11
  const std::vector<uint8_t> found(bytes.data<uint8_t>().begin(), bytes.data<uint8_t>().end());
  // bits in order: 0 0 0 11 0 10 | 11 0
  CHECK(found == std::vector<uint8_t>{7, 0, 9, 0, 0x21, 0x02, 0b01011000, 0b00000011});
}

TEST_CASE("numbers come back, and take no more than a bit each above their entropy") {
  for (const double skew : {1.0, 3.0, 20.0})
    for (const uint32_t most : {1U, 2U, 5U, 32U, 256U, 4096U})
      for (const size_t count : {size_t{1}, size_t{2}, size_t{100}, size_t{20000}}) {
        CAPTURE(skew);
        CAPTURE(most);
        CAPTURE(count);
        const std::vector<uint32_t> list = drawn(count, count + most, skew, most);
        const Tensor bytes = huffman_coded(list);
        CHECK(huffman_decoded(bytes, std::ssize(list), "x") == list);
        const double bits = entropy_bits(list) + static_cast<double>(count) + 8.0 * static_cast<double>(table_bytes(list)) + 8;
        CHECK(8.0 * static_cast<double>(bytes.size()) <= bits);
      }
  CHECK(huffman_coded({}).size() == 0);
  CHECK(huffman_decoded(Tensor(Shape{0}, DType::u8), 0, "x").empty());
  CHECK_THROWS_AS(huffman_coded(std::vector<uint32_t>{kMostSymbols}), Error);
}

TEST_CASE("counts like Fibonacci's, which want words of more than 15 bits, still fit") {
  std::vector<uint32_t> list;
  int64_t a = 1, b = 1;
  for (uint32_t n = 0; n < 24; ++n) {
    list.insert(list.end(), static_cast<size_t>(a), n);
    b = std::exchange(a, b) + b;
  }
  CHECK(huffman_decoded(huffman_coded(list), std::ssize(list), "x") == list);
}

TEST_CASE("damage: cut, lengthened, with another count, words that are none, lengths that are no code") {
  const std::vector<uint32_t> list = drawn(300, 5, 2, 20);
  const Tensor good = huffman_coded(list);
  const auto fails = [](const Tensor& bytes, int64_t count, const char* says) {
    const std::string error = error_of([&] { huffman_decoded(bytes, count, "f: \"t\""); });
    CAPTURE(error);
    CHECK(error.starts_with("f: \"t\": its Huffman code is damaged"));
    CHECK(error.find(says) != std::string::npos);
  };
  for (int64_t n = 0; n < good.size(); ++n) fails(good.rows(0, n), 300, "too few bytes");
  fails(good, 301 + 8, "too few bytes");
  fails(good, 200, "too many bytes");
  fails(good, 0, "too many bytes");
  fails(good, -1, "too few bytes");
  fails(good, int64_t{1} << 62, "too few bytes");
  const auto table = [&](std::vector<uint8_t> bytes, const char* says) {
    bytes.resize(100);
    fails(Tensor::of<uint8_t>(Shape{100}, std::span<const uint8_t>(bytes)), 8, says);
  };
  table({9, 0, 7, 0}, "no range");
  table({0, 0, 0xFF, 0xFF}, "no range");
  table({0, 0, 2, 0, 0x11, 0x01}, "more words than bits allow");
  table({0, 0, 2, 0, 0x21, 0x03}, "some bits are no word");
  table({0, 0, 2, 0, 0x00, 0x00}, "some bits are no word");
  table({0, 0, 1, 0, 0x02, 0, 0, 0}, "some bits are no word");
  table({5, 0, 5, 0, 0x01, 0xFF, 0xFF}, "a word is none");
}

// Words for people: suggestions by edit distance, globs, quantities.
#include "lptrain/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace lp {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Edits (insert, delete, replace, swap of neighbours) that turn a into b, regardless of case: "optimal string alignment".
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + !same});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

// "431k": three digits and the letter of a power of 1000.
std::string scaled(double value, std::string_view space, std::span<const std::string_view> letters) {
  size_t power = 0;
  while (std::abs(value) >= 999.5 && power + 1 < letters.size()) {
    value /= 1000;
    ++power;
  }
  const bool is_fraction = std::abs(value) < 99.95 && (power > 0 || value != std::trunc(value));
  return fmt::format("{:.{}f}{}{}", value, is_fraction ? 1 : 0, space, letters[power]);
}

}  // namespace

std::string nearest_word(std::string_view word, std::span<const std::string> candidates) {
  std::string nearest;
  size_t least = word.size();  // a candidate that shares nothing is not near
  for (const std::string& candidate : candidates) {
    const size_t limit = std::max<size_t>(1, std::max(word.size(), candidate.size()) / 3);
    const size_t gap = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (gap > limit || gap >= least) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance > limit || distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  constexpr size_t kTelling = 3;  // letters
  if (!nearest.empty() || word.size() < kTelling) return nearest;
  const auto longer = std::ranges::find_if(candidates, [&](const std::string& c) { return c.starts_with(word); });
  return longer == candidates.end() ? "" : *longer;
}

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  const std::string nearest = nearest_word(word, candidates);
  if (!nearest.empty()) return fmt::format("; did you mean \"{}\"?", nearest);
  return candidates.empty() ? "" : "; known: " + join(candidates);
}

std::string join(std::span<const std::string> words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return pieces;
}

std::string with_short_words(std::string_view message) {
  constexpr size_t kLongest = 160, kHead = 100, kTail = 40;
  constexpr std::string_view kBlanks = " \t\n";
  const auto continues = [&](size_t i) { return (message[i] & 0xC0) == 0x80; };  // inside a character of UTF-8
  std::string text;
  for (size_t begin = 0; begin < message.size();) {
    const size_t end = std::min(message.find_first_of(kBlanks, begin), message.size());
    if (end - begin <= kLongest) {
      text += message.substr(begin, end - begin);
    } else {
      size_t head = begin + kHead, tail = end - kTail;
      while (head > begin && continues(head)) --head;
      while (tail < end && continues(tail)) ++tail;
      text.append(message.substr(begin, head - begin)).append("...").append(message.substr(tail, end - tail));
    }
    if (end < message.size()) text += message[end];
    begin = end + 1;
  }
  return text;
}

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t star = pattern.npos, resume = 0;  // the last '*', and where the text after its run began
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kDigits[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string human_bytes(int64_t bytes) {
  static constexpr std::array<std::string_view, 7> kUnits{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  return scaled(static_cast<double>(bytes), " ", kUnits);
}

std::string human_seconds(double seconds) {
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e12) return "?";
  if (seconds < 1) return human_quantity(seconds, "s");
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const int64_t s = std::llround(seconds);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string grouped(int64_t count) {
  std::string text = fmt::format("{}", count);
  for (auto at = std::ssize(text) - 3; at > (count < 0); at -= 3) text.insert(static_cast<size_t>(at), 1, ',');
  return text;
}

std::string human_quantity(double value, std::string_view unit) {
  static constexpr std::array<std::string_view, 9> kPrefixes{"f", "p", "n", "µ", "m", "", "k", "M", "G"};
  if (!std::isfinite(value)) return fmt::format("? {}", unit);
  if (value == 0) return fmt::format("0 {}", unit);
  size_t power = 0;
  for (value *= 1e15; std::abs(value) >= 999.5 && power + 1 < kPrefixes.size(); value /= 1000) ++power;
  return fmt::format("{:.{}f} {}{}", value, std::abs(value) < 9.95 ? 1 : 0, kPrefixes[power], unit);
}

std::string human_count(double count) {
  static constexpr std::array<std::string_view, 6> kLetters{"", "k", "M", "G", "T", "P"};
  return scaled(count, "", kLetters);
}

}  // namespace lp

// Words for people: suggestions, lists, quantities.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

// The candidate nearest to `word` by edit distance (a swap is one edit), else the first that it begins (of 3 letters on), or "".
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

// "; did you mean \"epochs\"?", or, when nothing is near, "; known: a, b, c".
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

std::string join(std::span<const std::string> words, std::string_view separator = ", ");
std::vector<std::string> split(std::string_view text, char separator);

std::string capitalized(std::string text);  // the first letter, if it is one of a..z

// A message to be read: runs without a blank that are longer than 160 bytes lose their middle ("kkkkk...kkk").
std::string with_short_words(std::string_view message);

// Glob: '*' any run, '?' any one character; the whole of `text` must match.
bool glob_match(std::string_view pattern, std::string_view text);

std::string base64(std::string_view bytes);  // RFC 4648, with padding

std::string human_bytes(int64_t bytes);     // "1.4 MB" (powers of 1000)
std::string human_seconds(double seconds);  // "1:02:03", "0:42", "3.1 s" below ten seconds, "12 ms" below one
std::string human_count(double count);      // "431k", "1.2M"
std::string grouped(int64_t count);         // "12,345"
std::string human_quantity(double value, std::string_view unit);  // "1.2 µJ", "34 ms", "2.5 kJ": two or three digits

}  // namespace lp

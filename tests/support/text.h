// Looking into texts.
#pragma once
#include <string>
#include <string_view>

namespace lp::test {

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

inline size_t count(std::string_view text, std::string_view part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace lp::test

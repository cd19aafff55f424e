// Makes tar archives for tests.
#pragma once
#include <cstdio>
#include <cstring>
#include <string>

namespace lp::test {

// One header with its content, padded; `size_text` overrides the size it claims.
inline std::string tar_entry(const std::string& name, const std::string& content, char type = '0',
                             const std::string& size_text = "") {
  std::string header(512, '\0');
  char size[13];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  name.copy(header.data(), 100);
  std::memcpy(header.data() + 124, (size_text.empty() ? std::string(size) : size_text).data(), 11);
  std::memcpy(header.data() + 148, "        ", 8);
  header[156] = type;
  std::memcpy(header.data() + 257, "ustar\00000", 8);
  unsigned sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  std::memcpy(header.data() + 148, text, 7);
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

}  // namespace lp::test

// The tar reader.
#include "lptrain/data/tar.h"

#include "lptrain/data/bytes.h"

namespace lp {
namespace {

constexpr size_t kBlock = 512;

// A text field of a header: up to the first zero byte.
std::string_view text_at(std::string_view header, size_t at, size_t width) {
  const std::string_view field = header.substr(at, width);
  return field.substr(0, field.find('\0'));
}

uint64_t octal_at(const ByteReader& in, std::string_view header, size_t at, size_t width) {
  uint64_t value = 0;
  bool any = false;
  for (char c : text_at(header, at, width)) {
    if (c == ' ') {
      if (any) break;
      continue;
    }
    if (c < '0' || c > '7') in.fail("a number of the tar header is not octal");
    value = value * 8 + static_cast<uint64_t>(c - '0');
    any = true;
  }
  return value;
}

void check_sum(const ByteReader& in, std::string_view header) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  if (sum != octal_at(in, header, 148, 8)) in.fail("the checksum of the tar header is wrong");
}

std::string name_of(std::string_view header) {
  const std::string_view prefix = header.substr(257, 5) == "ustar" ? text_at(header, 345, 155) : "";
  std::string name = prefix.empty() ? std::string() : std::string(prefix) + "/";
  name += text_at(header, 0, 100);
  return name.starts_with("./") ? name.substr(2) : name;
}

}  // namespace

std::string_view tar_member(std::string_view archive, std::string_view member, std::string_view file) {
  ByteReader in(archive, file);
  while (in.left() > 0) {
    const std::string_view header = in.take(kBlock, "a tar header");
    if (header.find_first_not_of('\0') == std::string_view::npos) break;
    check_sum(in, header);
    const uint64_t size = octal_at(in, header, 124, 12);
    const std::string_view content = in.take(size, "a file of the archive");
    in.take(std::min<size_t>((kBlock - size % kBlock) % kBlock, in.left()), "padding");
    const char type = header[156];
    if ((type == '0' || type == '\0') && name_of(header) == member) return content;
  }
  fail(ErrorKind::data, "{}: the archive holds no file \"{}\"", file, member);
}

}  // namespace lp

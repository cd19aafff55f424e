// Checked reads, and gzip through zlib.
#include "lptrain/data/bytes.h"

#include <zlib.h>

#include <algorithm>

namespace lp {

uint8_t ByteReader::u8() { return static_cast<uint8_t>(take(1, "a byte")[0]); }

uint32_t ByteReader::u32_big_endian() {
  uint32_t value = 0;
  for (char c : take(4, "a 32-bit number")) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string_view ByteReader::take(size_t count, std::string_view what) {
  if (count > left()) fail(fmt::format("the file ends early: {} needs {} bytes, {} are left", what, count, left()));
  const std::string_view part = bytes_.substr(offset_, count);
  offset_ += count;
  return part;
}

void ByteReader::finish() const {
  if (left() > 0) fail(fmt::format("{} bytes follow the end of the data", left()));
}

void ByteReader::fail(const std::string& message) const { lp::fail(ErrorKind::data, "{}, byte {}: {}", file_, offset_, message); }

bool is_gzip(std::string_view bytes) { return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b'; }

namespace {

// One zlib stream, closed whatever happens.
struct Inflater {
  z_stream stream{};
  explicit Inflater(std::string_view file) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) fail(ErrorKind::failure, "{}: zlib has no memory", file);
  }
  ~Inflater() { inflateEnd(&stream); }
};

// The size that the last member's trailer announces (modulo 2^32), no more than deflate can make of these bytes (1032 : 1).
size_t announced_size(std::string_view bytes, int64_t limit) {
  if (bytes.size() < 4) return 0;
  size_t announced = 0;
  for (size_t i = 1; i <= 4; ++i) announced = announced << 8 | static_cast<unsigned char>(bytes[bytes.size() - i]);
  return std::min({announced, 1032 * bytes.size(), static_cast<size_t>(limit)});
}

}  // namespace

std::string gunzip(std::string_view bytes, std::string_view file, int64_t limit) {
  Inflater z(file);
  std::string out;
  out.reserve(announced_size(bytes, limit));  // growing would copy again and again
  std::string block(size_t{1} << 16, '\0');
  size_t fed = 0;
  int status = Z_OK;
  while (true) {
    if (z.stream.avail_in == 0 && fed < bytes.size()) {
      const size_t piece = std::min(bytes.size() - fed, size_t{1} << 30);
      z.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + fed));
      z.stream.avail_in = static_cast<uInt>(piece);
      fed += piece;
    }
    z.stream.next_out = reinterpret_cast<Bytef*>(block.data());
    z.stream.avail_out = static_cast<uInt>(block.size());
    status = inflate(&z.stream, Z_NO_FLUSH);
    const size_t at = fed - z.stream.avail_in;
    if (status != Z_OK && status != Z_STREAM_END)
      fail(ErrorKind::data, "{}, byte {}: gzip data is {}", file, at,
           status == Z_BUF_ERROR ? "cut off"
           : z.stream.msg        ? z.stream.msg
                                 : "damaged");
    out.append(block, 0, block.size() - z.stream.avail_out);
    if (static_cast<int64_t>(out.size()) > limit)
      fail(ErrorKind::data, "{}: unpacks to more than the {} bytes expected", file, limit);
    if (status != Z_STREAM_END) continue;
    if (!is_gzip(bytes.substr(at))) break;  // padding after the last member is ignored
    inflateReset(&z.stream);
  }
  return out;
}

}  // namespace lp

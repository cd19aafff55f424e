// Reading bytes that nobody vouches for: every read is checked, every error names file and offset.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "lptrain/base/error.h"

namespace lp {

// A cursor over the bytes of one file. All failures are Error(data): "FILE, byte 16: found ..., wanted ...".
class ByteReader {
 public:
  ByteReader(std::string_view bytes, std::string_view file) : bytes_(bytes), file_(file) {}

  size_t offset() const { return offset_; }
  size_t left() const { return bytes_.size() - offset_; }
  uint8_t u8();
  uint32_t u32_big_endian();
  std::string_view take(size_t count, std::string_view what);  // the next `count` bytes
  void finish() const;                                         // no byte may be left
  [[noreturn]] void fail(const std::string& message) const;    // at the current offset

 private:
  std::string_view bytes_;
  std::string file_;
  size_t offset_ = 0;
};

bool is_gzip(std::string_view bytes);
// The content of a gzip file (RFC 1952, several members allowed). More than `limit` bytes, a wrong checksum or an early end is
// Error(data).
std::string gunzip(std::string_view bytes, std::string_view file, int64_t limit);

}  // namespace lp

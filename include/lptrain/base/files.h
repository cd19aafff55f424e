// Files that are whole or absent: written under a temporary name, synced, renamed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

// The whole file. Throws Error(data) with the path and the system's reason; refuses files above `limit` bytes and anything but
// regular files.
std::string read_file(const std::filesystem::path& file, int64_t limit = int64_t{1} << 40);

// Replaces `file` in one step (temporary name beside it, fsync, rename, fsync of the folder). A full disk throws Error(failure),
// leaves the old file as it was and no temporary behind. Only regular files are replaced, never devices or pipes.
void write_file(const std::filesystem::path& file, std::span<const std::string_view> parts);
void write_file(const std::filesystem::path& file, std::string_view text);

// Appends one line and flushes it to the system (for metrics.jsonl, log.txt); throws Error(failure).
void append_line(const std::filesystem::path& file, std::string_view line);

std::string sha256(std::string_view bytes);  // 64 hex digits (FIPS 180-4)
class Sha256 {                               // the same, in pieces
 public:
  Sha256();
  void update(std::string_view bytes);
  std::string finish();

 private:
  void block(const unsigned char* p);
  uint32_t state_[8];
  uint64_t bytes_ = 0;
  unsigned char buffer_[64];
};

}  // namespace lp

// Files that are whole or absent.
#include "lptrain/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lptrain/base/error.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_io(ErrorKind kind, std::string_view verb, const fs::path& file, std::string_view reason) {
  fail(kind, "cannot {} \"{}\": {}", verb, file.string(), reason);
}

std::string last_reason() { return std::strerror(errno); }

// An open file; closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& file, int flags) : number_(::open(file.c_str(), flags | O_CLOEXEC, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }

  // Some file systems tell only here that the disk is full.
  bool close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
  }

  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(number_, bytes.data(), std::min(bytes.size(), kOnePiece));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

 private:
  static constexpr size_t kOnePiece = size_t{1} << 30;
  int number_;
};

// A name beside the file that nobody else uses; removed unless it was renamed away.
class Temporary {
 public:
  explicit Temporary(const fs::path& file) : path_(file) {
    static std::atomic<int> count{0};
    path_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() { ::unlink(path_.c_str()); }  // after a rename there is nothing to remove

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Makes the rename last through a power cut; not every file system can.
void sync_folder(const fs::path& file) {
  const Descriptor folder(file.has_parent_path() ? file.parent_path() : fs::path("."), O_RDONLY | O_DIRECTORY);
  if (folder) (void)::fsync(folder.number());
}

void refuse_device(const fs::path& file) {
  struct stat status;
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    fail_io(ErrorKind::failure, "write", file, "it is not a regular file");
}

}  // namespace

std::string read_file(const fs::path& file, int64_t limit) {
  const Descriptor in(file, O_RDONLY | O_NONBLOCK);  // a pipe without writer must not hang us
  struct stat status;
  if (!in || ::fstat(in.number(), &status) != 0) fail_io(ErrorKind::data, "read", file, last_reason());
  if (!S_ISREG(status.st_mode)) fail_io(ErrorKind::data, "read", file, "it is not a regular file");
  if (status.st_size > limit)
    fail_io(ErrorKind::data, "read", file, fmt::format("it has {} bytes, at most {} are expected here", status.st_size, limit));
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t n = ::read(in.number(), bytes.data() + filled, bytes.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io(ErrorKind::data, "read", file, last_reason());
    if (n == 0) break;  // it shrank meanwhile
    filled += static_cast<size_t>(n);
  }
  bytes.resize(filled);
  return bytes;
}

void write_file(const fs::path& file, std::span<const std::string_view> parts) {
  refuse_device(file);
  const Temporary temporary(file);
  const auto check = [&](bool worked) {
    if (!worked) fail_io(ErrorKind::failure, "write", file, last_reason());
  };
  Descriptor out(temporary.path(), O_WRONLY | O_CREAT | O_TRUNC);
  check(static_cast<bool>(out));
  for (std::string_view part : parts) check(out.write(part));
  check(::fsync(out.number()) == 0);
  check(out.close());
  check(::rename(temporary.path().c_str(), file.c_str()) == 0);
  sync_folder(file);
}

void write_file(const fs::path& file, std::string_view text) { write_file(file, std::span<const std::string_view>(&text, 1)); }

void append_line(const fs::path& file, std::string_view line) {
  const Descriptor out(file, O_WRONLY | O_CREAT | O_APPEND);
  if (!out) fail_io(ErrorKind::failure, "append to", file, last_reason());
  const off_t end = ::lseek(out.number(), 0, SEEK_END);
  if (out.write(std::string(line) + '\n')) return;
  const std::string reason = last_reason();
  if (end >= 0) (void)!::ftruncate(out.number(), end);  // half a line would spoil the file
  fail_io(ErrorKind::failure, "append to", file, reason);
}

}  // namespace lp

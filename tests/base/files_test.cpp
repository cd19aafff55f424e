// Files: whole or absent, whatever happens while they are written; SHA-256 against published sums.
#include "lptrain/base/files.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "lptrain/base/error.h"

namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("lptrain_files_test_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  size_t count() const { return static_cast<size_t>(std::distance(fs::directory_iterator(path), {})); }
};

// A disk with room for `bytes` in a file: beyond that, writing fails.
struct FullDisk {
  rlimit before{};
  explicit FullDisk(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit tight{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, SIG_DFL);
  }
};

std::pair<lp::ErrorKind, std::string> error_of(const auto& action) {
  try {
    action();
  } catch (const lp::Error& error) {
    return {error.kind, error.what()};
  }
  return {lp::ErrorKind{}, "no error"};
}

}  // namespace

TEST_CASE("what is written is read, bytes of every kind") {
  const Folder folder;
  const fs::path file = folder.path / "x.bin";
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += static_cast<char>(i ^ i >> 7);
  lp::write_file(file, bytes);
  CHECK(lp::read_file(file) == bytes);
  const std::string_view parts[] = {"a", "", std::string_view("\0b", 2)};
  lp::write_file(file, parts);
  CHECK(lp::read_file(file) == std::string("a\0b", 3));
  lp::write_file(file, "");
  CHECK(lp::read_file(file).empty());
  CHECK(folder.count() == 1);
}

TEST_CASE("a disk that fills up leaves the old file and nothing else") {
  const Folder folder;
  const fs::path file = folder.path / "x.bin";
  lp::write_file(file, "old");
  const std::string large(100000, 'x');
  {
    const FullDisk disk(10000);
    const auto [kind, message] = error_of([&] { lp::write_file(file, large); });
    CHECK(kind == lp::ErrorKind::failure);
    CHECK(message == "cannot write \"" + file.string() + "\": File too large");
    CHECK(error_of([&] { lp::write_file(folder.path / "new.bin", large); }).first == lp::ErrorKind::failure);
  }
  CHECK(lp::read_file(file) == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("a line that does not fit is not half written") {
  const Folder folder;
  const fs::path file = folder.path / "log.txt";
  lp::append_line(file, "one");
  lp::append_line(file, "");
  {
    const FullDisk disk(10);
    CHECK(error_of([&] { lp::append_line(file, "a long line"); }).first == lp::ErrorKind::failure);
  }
  lp::append_line(file, "two");
  CHECK(lp::read_file(file) == "one\n\ntwo\n");
}

TEST_CASE("what cannot be read or written is told with its path and the reason") {
  const Folder folder;
  const fs::path missing = folder.path / "missing";
  auto [kind, message] = error_of([&] { lp::read_file(missing); });
  CHECK(kind == lp::ErrorKind::data);
  CHECK(message == "cannot read \"" + missing.string() + "\": No such file or directory");
  CHECK(error_of([&] { lp::read_file(folder.path); }).second.ends_with("it is not a regular file"));
  CHECK(error_of([&] { lp::read_file("/dev/zero"); }).second.ends_with("it is not a regular file"));
  const fs::path pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of([&] { lp::read_file(pipe); }).second.ends_with("it is not a regular file"));
  CHECK(error_of([&] { lp::write_file(pipe, "x"); }).second.ends_with("it is not a regular file"));
  CHECK(error_of([&] { lp::write_file(folder.path, "x"); }).first == lp::ErrorKind::failure);
  CHECK(error_of([&] { lp::write_file(missing / "x", "x"); }).second.ends_with("No such file or directory"));
  CHECK(error_of([&] { lp::append_line(missing / "x", "x"); }).first == lp::ErrorKind::failure);
  CHECK(error_of([&] { lp::append_line("/dev/full", "x"); }).second.ends_with("No space left on device"));
}

TEST_CASE("files above the limit are refused before they are read") {
  const Folder folder;
  const fs::path file = folder.path / "x.bin";
  lp::write_file(file, "12345");
  CHECK(lp::read_file(file, 5) == "12345");
  CHECK(error_of([&] { lp::read_file(file, 4); }).second.ends_with("it has 5 bytes, at most 4 are expected here"));
  fs::resize_file(file, uintmax_t{1} << 42);  // a hole of 4 TB
  CHECK(error_of([&] { lp::read_file(file); }).first == lp::ErrorKind::data);
}

TEST_CASE("sha256 gives the sums of NIST's examples") {
  const std::pair<std::string, const char*> cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& [text, sum] : cases) CHECK(lp::sha256(text) == sum);
}

TEST_CASE("sha256 does not depend on how the bytes are cut") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 7);
  for (size_t length : {0u, 55u, 56u, 63u, 64u, 65u, 119u, 120u, 128u, 300u}) {
    const std::string_view whole = std::string_view(bytes).substr(0, length);
    for (size_t piece : {1u, 3u, 63u, 64u, 65u, 200u}) {
      lp::Sha256 hash;
      for (size_t at = 0; at < length; at += piece) hash.update(whole.substr(at, piece));
      CHECK(hash.finish() == lp::sha256(whole));
    }
  }
}

// What the tests of the data floor share: small files in memory, throw-away folders, and errors as text.
#pragma once
#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <string>

#include "lptrain/base/error.h"
#include "lptrain/base/files.h"
#include "lptrain/base/random.h"
#include "lptrain/data/examples.h"
#include "support/folder.h"

namespace lp::test {

inline Input input(std::string name, std::string bytes) {
  return {std::move(name), [bytes = std::move(bytes)] { return bytes; }};
}

// The message of the Error that f must throw.
template <class F>
std::string error_of(ErrorKind kind, F&& f) {
  try {
    f();
  } catch (const Error& error) {
    CHECK(error.kind == kind);
    return error.what();
  }
  FAIL("nothing was thrown");
  return {};
}

inline bool contains(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("\"", text, "\" lacks \"", std::string(part), "\"");
  return found;
}

inline std::string big_endian(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}

// An IDX file of bytes 0, 1, 2 ...
inline std::string idx(std::initializer_list<uint32_t> extents) {
  std::string file = big_endian(0x800 + static_cast<uint32_t>(extents.size()));
  size_t count = 1;
  for (uint32_t n : extents) {
    file += big_endian(n);
    count *= n;
  }
  for (size_t i = 0; i < count; ++i) file += static_cast<char>(i);
  return file;
}

inline std::string gzip(const std::string& bytes) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, bytes.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// Damages bytes at random `rounds` times and hands each version to f, which may throw Error and nothing else.
template <class F>
void fuzz(const std::string& good, int rounds, F&& f) {
  for (int round = 0; round < rounds; ++round) {
    const Key key = Key(4711).with(static_cast<uint64_t>(round));
    std::string bad = good;
    const uint64_t edits = 1 + key.below(0, 6);
    for (uint64_t e = 0; e < edits && !bad.empty(); ++e)
      bad[key.below(10 + e, bad.size())] = static_cast<char>(key.bits32(20 + e));
    if (key.below(1, 3) == 0) bad.resize(key.below(2, bad.size() + 1));
    if (key.below(3, 8) == 0) bad += bad;
    try {
      f(bad);
    } catch (const Error&) {
    }
  }
}

}  // namespace lp::test

// Checked reads and gzip.
#include "lptrain/data/bytes.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

TEST_CASE("reads stay inside and say where they were") {
  ByteReader in("\x01\x02\x03\x04\x05", "f.bin");
  CHECK(in.u32_big_endian() == 0x01020304u);
  CHECK(in.u8() == 5);
  CHECK(in.left() == 0);
  in.finish();
  CHECK(contains(error_of(ErrorKind::data, [&] { in.u8(); }), "f.bin, byte 5"));
  ByteReader more("abc", "g");
  CHECK(contains(error_of(ErrorKind::data, [&] { more.finish(); }), "g, byte 0: 3 bytes follow"));
  CHECK(contains(error_of(ErrorKind::data, [&] { more.take(SIZE_MAX, "all of it"); }), "all of it needs"));
}

TEST_CASE("gzip: round trip, several members, empty, limits") {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += static_cast<char>(Key(3).bits32(static_cast<uint64_t>(i)) % 7);
  CHECK(gunzip(gzip(text), "t", 50000) == text);
  CHECK(gunzip(gzip(text) + gzip("tail"), "t", 60000) == text + "tail");
  CHECK(gunzip(gzip(""), "t", 0).empty());
  CHECK(is_gzip(gzip("x")));
  CHECK_FALSE(is_gzip("\x1f"));
  CHECK(contains(error_of(ErrorKind::data, [&] { gunzip(gzip(text), "big", 49999); }),
                 "big: unpacks to more than the 49999 bytes"));
}

TEST_CASE("gzip: truncation and damage are told apart from the end") {
  const std::string good = gzip("some text that is long enough to be packed, packed, packed");
  for (size_t n = 0; n < good.size(); ++n) CHECK_THROWS_AS(gunzip(good.substr(0, n), "cut", 1000), Error);
  std::string bad = good;
  bad[good.size() - 6] ^= 1;  // the checksum
  CHECK(contains(error_of(ErrorKind::data, [&] { gunzip(bad, "bad", 1000); }), "bad, byte"));
  fuzz(good, 2000, [](const std::string& bytes) { gunzip(bytes, "fuzz", 10000); });
}

// Tar archives: members by name, damage by byte.
#include "lptrain/data/tar.h"

#include "data/fixtures.h"
#include "data/tar_fixture.h"

using namespace lp;
using namespace lp::test;

TEST_CASE("members are found whatever stands before them") {
  const std::string tar = tar_entry("dir/", "", '5') + tar_entry("dir/a.bin", std::string(700, 'a')) +
                          tar_entry("./dir/b.bin", "bb") + std::string(1024, '\0');
  CHECK(tar_member(tar, "dir/a.bin", "t.tar") == std::string(700, 'a'));
  CHECK(tar_member(tar, "dir/b.bin", "t.tar") == "bb");
  CHECK(contains(error_of(ErrorKind::data, [&] { tar_member(tar, "dir/", "t.tar"); }),
                 "t.tar: the archive holds no file \"dir/\""));
}

TEST_CASE("truncated, damaged and lying archives") {
  const std::string tar = tar_entry("a", std::string(600, 'a')) + tar_entry("b", "bb") + std::string(1024, '\0');
  for (size_t n = 0; n < 1540; n += 7) CHECK_THROWS_AS(tar_member(std::string_view(tar).substr(0, n), "b", "cut"), Error);
  std::string bad = tar;
  bad[5] = 'x';
  CHECK(contains(error_of(ErrorKind::data, [&] { tar_member(bad, "b", "t"); }), "t, byte 512: the checksum"));
  CHECK(contains(error_of(ErrorKind::data, [&] { tar_member(tar_entry("a", "", '0', "77777777777"), "b", "t"); }),
                 "needs 8589934591 bytes"));
  fuzz(tar, 3000, [](const std::string& bytes) { tar_member(bytes, "b", "fuzz"); });
}

// Which commit a build is of.
#include "lptrain/base/version.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

#include "lptrain/base/files.h"
#include "support/folder.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace fs = std::filesystem;

namespace {

// A source in a folder of its own, and the header that its build writes.
struct Source : Folder {
  Source() {
    write_file(*this / "CMakeLists.txt", "# nothing\n");
    fs::create_directory(*this / "out");
  }
  bool does(const std::string& line) const {
    return std::system(fmt::format("cd '{}' && {} >/dev/null 2>&1", path.string(), line).c_str()) == 0;
  }
  bool commits() const {
    return does("git add CMakeLists.txt && git -c user.name=t -c user.email=t@t commit --allow-empty --no-gpg-sign -m t");
  }
  std::string header(const std::string& source = ".", const std::string& script = source_dir() + "/src/base/commit.cmake") const {
    REQUIRE(does(fmt::format("cmake -D SOURCE='{}' -D HEADER=out/commit.h -P '{}'", source, script)));
    return read_file(*this / "out/commit.h");
  }
  std::string head() const {
    REQUIRE(does("git rev-parse --short HEAD > out/head"));
    return read_file(*this / "out/head").substr(0, 7);
  }
};

}  // namespace

TEST_CASE("the header holds the commit at the time of building, and is written only if that changed") {
  const Source source;
  if (!source.does("git init")) {
    MESSAGE("skipped: there is no git");
    return;
  }
  REQUIRE(source.commits());
  CHECK(source.header().find("\"" + source.head()) != std::string::npos);
  const auto written = fs::last_write_time(source / "out/commit.h");
  source.header();
  CHECK(fs::last_write_time(source / "out/commit.h") == written);
  write_file(source / "CMakeLists.txt", "# edited\n");
  CHECK(source.header().find("+\"") != std::string::npos);
  REQUIRE(source.commits());
  CHECK(source.header().find("\"" + source.head()) != std::string::npos);
  CHECK(source.header().find("+\"") == std::string::npos);
}

TEST_CASE("a source without git has no commit, also inside another repository; one that git packed has its own") {
  const Source source;
  CHECK(source.header().find("\"\"") != std::string::npos);
  if (!source.does("git init")) return;
  REQUIRE(source.commits());
  fs::create_directory(source / "unpacked");
  write_file(source / "unpacked/CMakeLists.txt", "# nothing\n");
  CHECK(source.header("unpacked").find("\"\"") != std::string::npos);
  std::string script = read_file(source_dir() + "/src/base/commit.cmake");
  script.replace(script.find("$Format"), std::string("$Format:%h$").size(), "0123abc");
  write_file(source / "packed.cmake", script);
  CHECK(source.header("unpacked", source / "packed.cmake").find("\"0123abc\"") != std::string::npos);
}

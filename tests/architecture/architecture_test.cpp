// The house rules that a machine can check: floors, mirrored files, sizes, who may see which library.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/places.h"

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = source_dir();
const std::vector<std::string> kFloors = {"base",  "number", "kernel", "tensor", "data",   "grad",
                                          "quant", "prune",  "nn",     "train",  "deploy", "app"};

struct Source {
  fs::path path;      // below the root
  std::string floor;  // "" outside the floors
  std::vector<std::string> lines;
  std::string where(size_t line) const { return fmt::format("{}:{}", path.string(), line + 1); }
};

bool is_code(const fs::path& p) { return p.extension() == ".cpp" || p.extension() == ".h" || p.extension() == ".inl"; }

std::string floor_of(const fs::path& p) {
  for (const auto& part : p)
    if (std::ranges::find(kFloors, part.string()) != kFloors.end()) return part.string();
  return "";
}

std::vector<Source> sources(std::initializer_list<const char*> folders) {
  std::vector<Source> all;
  for (const char* folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (!entry.is_regular_file() || !is_code(entry.path())) continue;
      Source s{fs::relative(entry.path(), kRoot), floor_of(fs::relative(entry.path(), kRoot)), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) s.lines.push_back(line);
      all.push_back(std::move(s));
    }
  std::ranges::sort(all, {}, &Source::path);
  return all;
}

int rank_of(const std::string& floor) { return static_cast<int>(std::ranges::find(kFloors, floor) - kFloors.begin()); }

void expect_none(const std::vector<std::string>& offences, const char* rule) {
  std::string text;
  for (const auto& o : offences) text += "\n  " + o;
  CHECK_MESSAGE(offences.empty(), (std::string(rule) + text));
}

// What the repository itself holds at its top level: files that a user or a build left there do not count. None without git.
std::set<std::string> tracked_at_top() {
  std::set<std::string> names;
  const std::unique_ptr<FILE, int (*)(FILE*)> list(::popen(("git -C '" + kRoot.string() + "' ls-files 2>/dev/null").c_str(), "r"),
                                                   ::pclose);
  for (char line[4096]; list && std::fgets(line, sizeof line, list.get());)
    names.insert(std::string(line, std::strcspn(line, "/\n")));
  if (names.empty()) MESSAGE("skipped: the top level is known to git only");
  return names;
}

// Offences: lines of code outside `allowed` floors that match a pattern.
std::vector<std::string> outside(const std::vector<Source>& all, const std::regex& pattern,
                                 const std::set<std::string>& allowed) {
  std::vector<std::string> offences;
  for (const Source& s : all)
    for (size_t i = 0; i < s.lines.size(); ++i)
      if (!allowed.contains(s.floor) && std::regex_search(s.lines[i], pattern)) offences.push_back(s.where(i) + " " + s.lines[i]);
  return offences;
}

}  // namespace

TEST_CASE("includes go down the floors only") {
  static const std::regex kInclude("#include \"lptrain/([a-z]+)/");
  std::vector<std::string> offences;
  for (const Source& s : sources({"include", "src"}))
    for (size_t i = 0; i < s.lines.size(); ++i)
      if (std::smatch m; !s.floor.empty() && std::regex_search(s.lines[i], m, kInclude) && rank_of(m[1]) > rank_of(s.floor))
        offences.push_back(fmt::format("{} floor \"{}\" includes the higher floor \"{}\"", s.where(i), s.floor, m[1].str()));
  expect_none(offences, "a floor knows only what lies below it");
}

TEST_CASE("each library is seen by one floor only") {
  const auto all = sources({"include", "src"});
  expect_none(outside(all, std::regex("#include <nlohmann"), {"base"}), "only base sees nlohmann/json");
  expect_none(outside(all, std::regex("#include <(stb/|zlib|curl/)"), {"data"}), "only data sees stb_image, zlib, libcurl");
  expect_none(outside(all, std::regex("#include <(cblas|openblas|oneapi/|dnnl|immintrin)"), {"kernel"}),
              "only kernel sees OpenBLAS, oneDNN, intrinsics");
  expect_none(outside(all, std::regex("#include <CLI/"), {"app"}), "only app sees CLI11");
  expect_none(outside(all, std::regex("\\b(std::cout|std::cerr|printf\\(|fmt::print|puts\\()"), {"app", ""}), "only app prints");
}

TEST_CASE("every source has its header, and every test its source") {
  std::vector<std::string> offences;
  for (const Source& s : sources({"tests"})) {
    if (s.floor.empty() || !s.path.stem().string().ends_with("_test")) continue;
    CHECK_MESSAGE(fs::exists(kRoot / "src" / s.floor), s.path.string());
  }
  for (const std::string& floor : kFloors) {
    if (!fs::exists(kRoot / "include/lptrain" / floor)) continue;
    const bool has_tests = fs::exists(kRoot / "tests" / floor) && !fs::is_empty(kRoot / "tests" / floor);
    if (!fs::is_empty(kRoot / "include/lptrain" / floor) && !has_tests) offences.push_back("floor " + floor + " has no tests");
  }
  expect_none(offences, "tests mirror the floors");
}

TEST_CASE("files are small, say why they exist, and keep to the page") {
  std::vector<std::string> offences;
  for (const Source& s : sources({"include", "src", "tests"})) {
    if (s.lines.size() > 400)
      offences.push_back(fmt::format("{} has {} lines; split it by idea (most 400)", s.path.string(), s.lines.size()));
    if (s.lines.empty() || !s.lines[0].starts_with("// "))
      offences.push_back(s.path.string() + " does not open with a sentence saying why it exists");
    for (size_t i = 0; i < s.lines.size(); ++i) {
      const auto continuation = std::ranges::count_if(s.lines[i], [](unsigned char c) { return (c & 0xC0) == 0x80; });
      if (static_cast<std::ptrdiff_t>(s.lines[i].size()) - continuation > 130)
        offences.push_back(s.where(i) + " is longer than 130 columns");
    }
  }
  expect_none(offences, "files <= 400 lines of <= 130 columns, with a first sentence");
}

TEST_CASE("functions fit a screen") {
  // A function opens on a line that ends in "{" at the outermost level (or one below a class) and closes with "}" at the same
  // indentation.
  static const std::regex kOpens("^( {0,2})[A-Za-z_:~][^;=#]*\\)[^;=]*\\{$");
  std::vector<std::string> offences;
  for (const Source& s : sources({"include", "src"}))
    for (size_t i = 0; i < s.lines.size(); ++i) {
      std::smatch m;
      if (!std::regex_search(s.lines[i], m, kOpens) ||
          std::regex_search(s.lines[i], std::regex("^\\s*(namespace|struct|class|enum)")))
        continue;
      const std::string end = m[1].str() + "}";
      size_t last = i + 1;
      while (last < s.lines.size() && !s.lines[last].starts_with(end)) ++last;
      if (last - i + 1 > 40) offences.push_back(fmt::format("{} function of {} lines", s.where(i), last - i + 1));
    }
  expect_none(offences, "functions <= 40 lines");
}

TEST_CASE("headers neither open namespaces nor speak of the workshop") {
  const auto all = sources({"include", "src", "tests"});
  std::vector<std::string> offences;
  for (const Source& s : all)
    for (size_t i = 0; i < s.lines.size(); ++i)
      if (s.path.extension() == ".h" && s.lines[i].starts_with("using namespace")) offences.push_back(s.where(i));
  expect_none(offences, "no using namespace in headers");
  expect_none(outside(all,
                      std::regex("\\b(TO"
                                 "DO|FIX"
                                 "ME|XX"
                                 "X)\\b"),
                      {}),
              "no orphan notes");
}

TEST_CASE("the top level holds what the plan names, nothing else") {
  const std::set<std::string> allowed = {
      "src",          "include",         "models",  "datasets",  "configs", "tests",      "CMakeLists.txt", "CMakePresets.json",
      "README.md",    "CONTRIBUTING.md", "LICENSE", "bootstrap", ".ci",     ".gitignore", ".clang-format",  ".clang-tidy",
      ".editorconfig"};
  std::vector<std::string> offences;
  for (const std::string& name : tracked_at_top())
    if (!allowed.contains(name)) offences.push_back(name);
  expect_none(offences, "unexpected at the top level");
}

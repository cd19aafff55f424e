// The real data sets, where $LPTRAIN_SHARED/datasets has them: sums, counts and means as published.
#include <cstdlib>

#include <algorithm>

#include "data/fixtures.h"
#include "lptrain/data/card_files.h"
#include "lptrain/data/dataset.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string shared() {
  const char* folder = std::getenv("LPTRAIN_SHARED");
  return folder ? std::string(folder) + "/datasets" : "";
}

DataFolders folders() { return {{shared(), std::filesystem::path(source_dir()) / "datasets"}, shared()}; }

// The set, or none with a message if it is not there.
std::optional<Dataset> load(const std::string& name) {
  if (shared().empty() || !std::filesystem::is_directory(shared() + "/" + name)) {
    MESSAGE("skipped: set LPTRAIN_SHARED to a folder that holds datasets/", name);
    return std::nullopt;
  }
  DatasetSpec spec;
  spec.name = name;
  return load_dataset(spec, folders());
}

std::vector<int64_t> counts(const Examples& examples, size_t classes) {
  std::vector<int64_t> n(classes, 0);
  for (int32_t label : examples.labels) ++n[static_cast<size_t>(label)];
  return n;
}

double mean_of(const Dataset& set) {
  std::vector<int64_t> rows = set.train.rows;
  rows.insert(rows.end(), set.validation.rows.begin(), set.validation.rows.end());
  return measure(set.train.examples->inputs, rows).mean[0] / 255;
}

}  // namespace

TEST_CASE("mnist") {
  const auto set = load("mnist");
  if (!set) return;
  CHECK(counts(*set->train.examples, 10) == std::vector<int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(counts(*set->test.examples, 10) == std::vector<int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  CHECK(mean_of(*set) == doctest::Approx(0.1307).epsilon(1e-3));
}

TEST_CASE("fashion_mnist") {
  const auto set = load("fashion_mnist");
  if (!set) return;
  CHECK(counts(*set->train.examples, 10) == std::vector<int64_t>(10, 6000));
  CHECK(mean_of(*set) == doctest::Approx(0.2860).epsilon(1e-3));
}

TEST_CASE("cifar10") {
  const auto set = load("cifar10");
  if (!set) return;
  CHECK(counts(*set->train.examples, 10) == std::vector<int64_t>(10, 5000));
  CHECK(counts(*set->test.examples, 10) == std::vector<int64_t>(10, 1000));
  CHECK(mean_of(*set) == doctest::Approx(0.4914).epsilon(1e-3));
}

TEST_CASE("tables and pictures: sizes and classes") {
  struct Wanted {
    const char* name;
    int64_t train, test;  // train with validation
    std::vector<int64_t> classes;
    Shape shape;
  };
  const Wanted all[] = {
      {"iris", 120, 30, {50, 50, 50}, {4}},      {"banknote", 1098, 274, {762, 610}, {4}},
      {"pima", 614, 154, {500, 268}, {8}},       {"adult", 32561, 16281, {24720, 7841}, {104}},
      {"digits8x8", 3823, 1797, {}, {8, 8, 1}},  {"sign_digits_2class", 322, 90, {162, 160}, {32, 32, 1}},
      {"names", 16040, 4010, {}, {20}},          {"japanese_vowels", 270, 370, std::vector<int64_t>(9, 30), {29, 12}},
      {"tinyshakespeare", 30419, 3379, {}, {32}}};
  for (const Wanted& wanted : all) {
    CAPTURE(std::string(wanted.name));
    const auto set = load(wanted.name);
    if (!set) continue;
    CHECK(set->train.size() + set->validation.size() == wanted.train);
    CHECK(set->test.size() == wanted.test);
    if (!wanted.classes.empty()) CHECK(counts(*set->train.examples, wanted.classes.size()) == wanted.classes);
    CHECK(set->shape == wanted.shape);
  }
}

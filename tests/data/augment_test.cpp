// Augmentations: each does what it says, and the key decides everything.
#include "lptrain/data/augment.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/fixtures.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

struct List {
  std::vector<Choice<Augmentation>> augment;
  void fields(Fields& f) { f("augment", augment, "changes"); }
};

Choice<Augmentation> parse(const std::string& json) {
  List list;
  read(Document::parse("{\"augment\": [" + json + "]}", "test"), list);
  return list.augment.at(0);
}

Frame numbered(int64_t height, int64_t width, int64_t channels) {
  Frame frame{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) frame.values.push_back(static_cast<float>(i + 1));
  return frame;
}

Frame changed(const Choice<Augmentation>& augmentation, Frame frame, uint64_t key) {
  augmentation->apply(frame, Key(key));
  return frame;
}

}  // namespace

TEST_CASE("same key, same change; the shape stays") {
  for (const ChoiceRow<Augmentation>& row : choices<Augmentation>()) {
    const Choice<Augmentation> a{row.name};
    std::set<std::vector<float>> outcomes;
    for (uint64_t key = 0; key < 20; ++key) {
      const Frame frame = changed(a, numbered(6, 5, 2), key);
      CHECK(frame.values.size() == 60);
      CHECK(frame.values == changed(a, numbered(6, 5, 2), key).values);
      outcomes.insert(frame.values);
    }
    CHECK(outcomes.size() >= 2);
  }
}

TEST_CASE("shift moves by whole pixels within its bound and brings in black") {
  std::set<std::pair<int64_t, int64_t>> moves;
  for (uint64_t key = 0; key < 400; ++key) {
    const Frame from = numbered(5, 5, 1), to = changed(parse(R"({"shift": {"pixels": 1}})"), from, key);
    int matches = 0;
    for (int64_t dy = -1; dy <= 1; ++dy)
      for (int64_t dx = -1; dx <= 1; ++dx) {
        bool same = true;
        for (int64_t y = 0; y < 5; ++y)
          for (int64_t x = 0; x < 5; ++x) {
            const bool inside = y - dy >= 0 && y - dy < 5 && x - dx >= 0 && x - dx < 5;
            same = same && to.at(y, x, 0) == (inside ? from.at(y - dy, x - dx, 0) : 0);
          }
        if (same) {
          ++matches;
          moves.insert({dy, dx});
        }
      }
    CHECK(matches == 1);
  }
  CHECK(moves.size() == 9);
}

TEST_CASE("crop with a reflected edge invents no black") {
  for (uint64_t key = 0; key < 50; ++key) {
    const Frame to = changed(parse(R"({"crop": {"pad": 3, "edge": "reflect"}})"), numbered(4, 4, 3), key);
    CHECK(std::ranges::all_of(to.values, [](float v) { return v >= 1; }));
  }
}

TEST_CASE("flip mirrors, half of the time unless told otherwise") {
  const Frame mirrored = changed(parse(R"({"flip": {"probability": 1}})"), numbered(2, 3, 1), 1);
  CHECK(mirrored.values == std::vector<float>{3, 2, 1, 6, 5, 4});
  CHECK(changed(parse(R"({"flip": {"probability": 0}})"), numbered(2, 3, 1), 1).values == numbered(2, 3, 1).values);
  int flips = 0;
  for (uint64_t key = 0; key < 1000; ++key) flips += changed(parse("\"flip\""), numbered(1, 2, 1), key).values[0] == 2;
  CHECK(std::abs(flips - 500) < 80);
}

TEST_CASE("rotate by nothing changes nothing; a turn keeps the centre") {
  CHECK(changed(parse(R"({"rotate": {"degrees": 0}})"), numbered(5, 5, 2), 3).values == numbered(5, 5, 2).values);
  const Frame turned = changed(parse(R"({"rotate": {"degrees": 180}})"), numbered(5, 5, 1), 3);
  CHECK(turned.at(2, 2, 0) == doctest::Approx(13));
}

TEST_CASE("noise stays in range and has the deviation asked for") {
  Frame grey{100, 100, 1, std::vector<float>(10000, 127.5f)};
  grey = changed(parse(R"({"noise": {"deviation": 0.1}})"), grey, 5);
  double square = 0;
  for (float v : grey.values) square += (v - 127.5) * (v - 127.5);
  CHECK(std::sqrt(square / 10000) == doctest::Approx(25.5).epsilon(0.05));
  Frame black{50, 50, 1, std::vector<float>(2500, 0)};
  CHECK(std::ranges::all_of(changed(parse(R"({"noise": {"deviation": 5}})"), black, 5).values,
                            [](float v) { return v >= 0 && v <= 255; }));
}

// Bits that are lowered while accuracy holds: the search alone, from what validation says, and what it makes of precisions.
#include "lptrain/train/adaptive.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"

using namespace lp;

namespace {

const std::vector<std::string> kLayers{"small", "large", "last"};
const Dictionary<int64_t> kWeights{{"small", 10}, {"large", 1000}, {"last", 10}};

Precision precision_of(const std::string& text) {
  Precision p;
  read(Document::parse(text, "test"), p);
  return p;
}

AdaptiveSpec spec_of(AdaptiveSpec::Per per) {
  AdaptiveSpec spec;
  spec.per = per;
  spec.start = 5;
  spec.lowest = 2;
  return spec;
}

// Trains until the search ends, on a network whose validation reaches the target exactly if `holds(bits)`.
struct Searched {
  std::vector<std::string> tried;
  std::vector<BitMove> moves;
  BitSearch search;

  template <class Holds>
  Searched(const AdaptiveSpec& spec, int epochs, const Holds& holds)
      : search(begun_search(spec, precision_of(R"({"weights": "int8"})"), kLayers)) {
    for (int epoch = 1; epoch <= epochs && !search.is_done; ++epoch) {
      tried.push_back(bits_text(search.bits));
      moves.push_back(advance(search, spec, kWeights, holds(search.bits), epoch == epochs));
    }
  }
};

int64_t least(const Dictionary<int64_t>& bits) {
  int64_t least = 99;
  for (const auto& [layer, n] : bits) least = std::min(least, n);
  return least;
}

}  // namespace

TEST_CASE("a network's bits fall until they do not hold, with patience, and those that held come back") {
  const Searched s(spec_of(AdaptiveSpec::Per::network), 100, [](const auto& bits) { return least(bits) >= 3; });
  CHECK(s.tried == std::vector<std::string>{"5 bits", "4 bits", "3 bits", "2 bits", "2 bits"});
  CHECK(s.moves == std::vector{BitMove::keep, BitMove::keep, BitMove::keep, BitMove::wait, BitMove::back});
  CHECK(s.search.is_done);
  CHECK(bits_text(s.search.bits) == "3 bits");
}

TEST_CASE("they do not fall below the lowest") {
  const Searched s(spec_of(AdaptiveSpec::Per::network), 100, [](const auto&) { return true; });
  CHECK(s.tried.back() == "2 bits");
  CHECK(s.moves.back() == BitMove::keep);
  CHECK(bits_text(s.search.bits) == "2 bits");
}

TEST_CASE("layer by layer: where a bit is worth most first; a layer that fails keeps its bits") {
  const Searched s(spec_of(AdaptiveSpec::Per::layer), 100, [](const auto& bits) {
    return bits[0].second >= 2 && bits[1].second >= 3 && bits[2].second >= 4;  // all together hold at 4
  });
  const std::vector<std::string> wanted{"5 bits",
                                        "4 bits",
                                        "3 bits",
                                        "3 bits",
                                        "small 4, large 3, last 4 bits",
                                        "small 4, large 2, last 4 bits",
                                        "small 4, large 2, last 4 bits",
                                        "small 3, large 3, last 4 bits",
                                        "small 2, large 3, last 4 bits",
                                        "small 2, large 3, last 3 bits",
                                        "small 2, large 3, last 3 bits"};
  CHECK(s.tried == wanted);
  CHECK(s.search.is_done);
  CHECK(bits_text(s.search.bits) == "small 2, large 3, last 4 bits");
}

TEST_CASE("the last epoch ends the search with what was kept; without a success the first bits stay") {
  const Searched cut(spec_of(AdaptiveSpec::Per::network), 2, [](const auto&) { return true; });
  CHECK(cut.search.is_done);
  CHECK(bits_text(cut.search.bits) == "4 bits");
  const Searched failing(spec_of(AdaptiveSpec::Per::network), 3, [](const auto& bits) { return least(bits) >= 5; });
  CHECK(failing.moves.back() == BitMove::back);
  CHECK(bits_text(failing.search.bits) == "5 bits");
  const Searched never(spec_of(AdaptiveSpec::Per::layer), 4, [](const auto&) { return false; });
  CHECK(never.moves == std::vector(4, BitMove::wait));
  CHECK(bits_text(never.search.bits) == "5 bits");
  CHECK(never.search.kept.empty());
}

TEST_CASE("a search that is written and read goes on as it would have") {
  const AdaptiveSpec spec = spec_of(AdaptiveSpec::Per::layer);
  BitSearch whole = begun_search(spec, precision_of(R"({"weights": "int8"})"), kLayers), stored = whole;
  for (int epoch = 1; epoch < 30; ++epoch) {
    const bool holds = epoch % 3 != 0;
    CHECK(advance(whole, spec, kWeights, holds, false) == advance(stored, spec, kWeights, holds, false));
    BitSearch again;
    read(write(stored), again);
    stored = again;
    CHECK(write(stored) == write(whole));
  }
}

TEST_CASE("bits become formats: integers keep their sign and their other fields, one bit is binary, floats are left out") {
  const Precision p = precision_of(R"({"weights": {"format": "int8", "narrow": true, "per": "channel"},
      "overrides": {"last": {"weights": "f16"}, "large": {"activations": "uint8"}}})");
  AdaptiveSpec spec;
  const BitSearch s = begun_search(spec, p, kLayers);
  CHECK(bits_text(s.bits) == "8 bits");
  CHECK(s.bits.size() == 2);
  const Precision narrow = with_bits(p, {{"small", 1}, {"large", 3}});
  CHECK(narrow.of(Role::weights, "small").format.name() == "binary");
  CHECK(narrow.of(Role::weights, "large").format.name() == "int3");
  CHECK(narrow.of(Role::weights, "large").narrow);
  CHECK(narrow.of(Role::weights, "large").per == Per::channel);
  CHECK(narrow.of(Role::weights, "last").format.name() == "f16");
  CHECK(with_bits(precision_of(R"({"weights": {"format": "uint8", "offset": "min"}})"), {{"small", 4}})
            .of(Role::weights, "small")
            .format.name() == "uint4");
}

TEST_CASE("what happens to activations of a layer stays when its weights get other bits") {
  const Precision p = precision_of(R"({"weights": "int8", "overrides": {"large": {"activations": "uint4"}, "small": "int6"}})");
  const Precision narrow = with_bits(with_bits(p, {{"large", 3}, {"small", 3}}), {{"large", 2}, {"small", 2}});
  CHECK(narrow.of(Role::activations, "large").format.name() == "uint4");
  CHECK(narrow.of(Role::weights, "large").format.name() == "int2");
  CHECK(narrow.of(Role::activations, "small").format.name() == "int6");
  CHECK(narrow.of(Role::weights, "small").format.name() == "int2");
}

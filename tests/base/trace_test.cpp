// Spans nest, threads are told apart, and own time is time without the spans inside.
#include "lptrain/base/trace.h"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <thread>

using namespace lp;

TEST_CASE("nothing is noted while nobody records") {
  { const Timed t("a"); }
  const Recording r;
  CHECK(r.spans().empty());
}

TEST_CASE("spans nest and end in order") {
  const Recording r;
  {
    const Timed outer("layer", "conv1");
    { const Timed inner("product", "matmul"); }
    { const Timed inner("quantize"); }
  }
  const auto spans = r.spans();
  REQUIRE(spans.size() == 3);
  CHECK(spans[0].what == "matmul");
  CHECK(spans[0].depth == 1);
  CHECK(spans[2].what == "conv1");
  CHECK(spans[2].depth == 0);
  CHECK(spans[2].begin <= spans[0].begin);
  CHECK(spans[0].begin + spans[0].seconds <= spans[2].begin + spans[2].seconds);
}

TEST_CASE("own seconds leave out what lies inside") {
  const std::vector<Span> spans{{"product", "", 1, 2, 0, 1}, {"quantize", "", 4, 1, 0, 2}, {"map", "", 4, 3, 0, 1},
                                {"layer", "", 0, 10, 0, 0},  {"product", "", 0, 5, 1, 0},  {"layer", "", 11, 4, 0, 0}};
  const auto own = own_seconds(spans);
  CHECK(own.at("product") == 2 + 5);
  CHECK(own.at("quantize") == 1);
  CHECK(own.at("map") == 3 - 1);
  CHECK(own.at("layer") == 10 - 2 - 3 + 4);
}

TEST_CASE("threads have numbers, and a span that began before the recording is not in it") {
  auto early = std::make_unique<Recording>();
  auto span = std::make_unique<Timed>("early");
  early.reset();
  const Recording r;
  span.reset();
  std::thread([] { const Timed t("first"); }).join();
  std::thread([] { const Timed t("second"); }).join();
  const auto spans = r.spans();
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].thread != spans[1].thread);
  CHECK_THROWS_AS(Recording(), std::logic_error);
}

// Schedules against PyTorch's, and their ends.
#include <doctest/doctest.h>

#include "train/golden.h"

using namespace lp;

namespace {

struct Holder {
  Choice<Schedule> schedule;
  void fields(Fields& f) { f("schedule", schedule, ""); }
};

Choice<Schedule> made(const std::string& text) {
  Holder h;
  read(Document::parse("{\"schedule\": " + text + "}", "test"), h);
  return h.schedule;
}

// The factor that a golden case means by its element i.
double factor_of(const golden::ScheduleCase& c, int64_t i) {
  const double x = static_cast<double>(i);
  if (c.unit == "warmup") return warmup((x + 1) / 4, 1);
  if (c.unit == "progress") return c.schedule->factor(x / 10, 0);
  return c.schedule->factor(0, i);
}

}  // namespace

TEST_CASE("schedules and warm-up agree with PyTorch's") {
  REQUIRE(golden::training().schedules.size() >= 7);
  for (const golden::ScheduleCase& c : golden::training().schedules) {
    CAPTURE(c.schedule.name());
    CAPTURE(c.unit);
    REQUIRE(c.factors.size() == 10);
    for (size_t i = 0; i < c.factors.size(); ++i) CHECK(std::abs(factor_of(c, static_cast<int64_t>(i)) - c.factors[i]) < 1e-12);
  }
}

TEST_CASE("every schedule begins with the whole learning rate and never grows") {
  for (const ChoiceRow<Schedule>& row : choices<Schedule>()) {
    CAPTURE(row.name);
    const auto schedule = row.make();
    CHECK(schedule->factor(0, 0) == 1.0);
    double before = 1;
    for (int64_t epoch = 0; epoch < 100; ++epoch) {
      const double now = schedule->factor(static_cast<double>(epoch) / 100, epoch);
      CHECK(now <= before);
      CHECK(now >= 0);
      before = now;
    }
  }
}

TEST_CASE("what is left at the end") {
  CHECK(made(R"({"cosine": {"final": 0.1}})")->factor(1, 0) == doctest::Approx(0.1));
  CHECK(made("\"cosine\"")->factor(1, 0) == doctest::Approx(0).epsilon(1e-12));
  CHECK(made(R"({"linear": {"final": 0.25}})")->factor(1, 0) == 0.25);
}

TEST_CASE("warm-up: in proportion, then done; none is none") {
  CHECK(warmup(0.25, 2) == 0.125);
  CHECK(warmup(2, 2) == 1);
  CHECK(warmup(9, 2) == 1);
  CHECK(warmup(0.001, 0) == 1);
}

TEST_CASE("impossible settings are refused") {
  for (const char* text : {R"({"step": {"every": 0}})", R"({"milestones": {"at": [3, 3]}})", R"({"milestones": {"at": [5, 2]}})",
                           R"({"cosine": {"final": 2}})", R"({"exponential": {"factor": -1}})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(made(text), DocumentError);
  }
}

// Pruning schedules: monotone, ending at the target, in time, and as the papers' formulas say.
#include "lptrain/prune/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/document.h"

using namespace lp;

namespace {

Choice<PruneSchedule> schedule(const std::string& json) {
  struct {
    Choice<PruneSchedule> s;
    void fields(Fields& f) { f("s", s, ""); }
  } holder;
  read(Document::parse("{\"s\": " + json + "}", "t"), holder);
  return holder.s;
}

}  // namespace

TEST_CASE("every schedule: moments and sparsities do not fall, the last is the target, all are made before a phase ends") {
  for (const char* json : {R"("one_shot")", R"({"one_shot": {"at": 1}})", R"("linear")", R"("cubic")", R"("iterative")",
                           R"({"cubic": {"begin": 0.2, "end": 1, "initial": 0.3, "times": 7}})", R"({"linear": {"end": 0}})",
                           R"({"cubic": {"initial": 0.95}})", R"({"iterative": {"rounds": 12}})"}) {
    CAPTURE(json);
    const auto s = schedule(json);
    for (const double target : {0.0, 0.5, 0.9, 0.99}) {
      double before = 0;
      for (int64_t k = 1; k <= s->times(); ++k) {
        CHECK(s->sparsity(k, target) >= before - 1e-15);
        CHECK(s->sparsity(k, target) <= target);
        CHECK(s->moment(k) >= (k > 1 ? s->moment(k - 1) : 0));
        CHECK(s->due(s->moment(k)) >= k);
        before = s->sparsity(k, target);
      }
      CHECK(before == target);
    }
    CHECK(s->due(1) == s->times());
    int64_t due = 0;
    for (int i = 0; i <= 100; ++i) {
      CHECK(s->due(i / 100.0) >= due);
      due = s->due(i / 100.0);
    }
  }
}

TEST_CASE("formulas: cubic after Zhu & Gupta, iterative keeps the same share each time") {
  const auto cubic = schedule(R"({"cubic": {"begin": 0, "end": 1, "initial": 0.1, "times": 4}})");
  for (int64_t k = 1; k <= 4; ++k)
    CHECK(cubic->sparsity(k, 0.9) == doctest::Approx(0.9 + (0.1 - 0.9) * std::pow(1 - static_cast<double>(k) / 4, 3)));
  const auto linear = schedule(R"({"linear": {"times": 4}})");
  CHECK(linear->sparsity(1, 0.8) == doctest::Approx(0.2));
  CHECK(linear->moment(4) == 0.75);
  const auto iterative = schedule(R"({"iterative": {"rounds": 3}})");
  CHECK(1 - iterative->sparsity(1, 0.875) == doctest::Approx(0.5));
  CHECK(1 - iterative->sparsity(2, 0.875) == doctest::Approx(0.25));
  CHECK(iterative->moment(1) == 0.25);
  CHECK(schedule(R"("one_shot")")->due(0) == 1);
  CHECK(schedule(R"({"one_shot": {"at": 0.5}})")->due(0.49) == 0);
  CHECK_THROWS_AS(schedule(R"({"cubic": {"begin": 0.8, "end": 0.2}})"), Error);
}

// Looking at a trained model: what is counted, and what is surest.
#include "lptrain/app/examination.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "lptrain/base/document.h"
#include "subject.h"

using namespace lp;

namespace {

struct Subject : test::Subject {
  using test::Subject::Subject;
  Examination examined() { return examine(model, *config.train.loss, data, 64); }
};

}  // namespace

TEST_CASE("the matrix counts what evaluation counts; the surest mistakes come first") {
  Subject s(R"({"weights": "int4"})");
  const Examination e = s.examined();
  const Evaluation evaluation = evaluate(s.model, *s.config.train.loss, s.data, s.data.test, 100);
  REQUIRE(e.confusion);
  CHECK(e.confusion->total() == s.data.test.size());
  CHECK(e.confusion->accuracy() == doctest::Approx(evaluation.score.accuracy));
  REQUIRE_FALSE(e.mistakes.empty());
  CHECK(e.mistakes.size() <= 18);
  CHECK(std::ranges::is_sorted(e.mistakes, std::greater{}, &Mistake::score));
  for (const Mistake& m : e.mistakes) {
    CHECK(m.label == s.data.test.label(m.index));
    CHECK(m.predicted == evaluation.predicted[static_cast<size_t>(m.index)]);
    CHECK(m.predicted != m.label);
    CHECK(m.score > 1.0 / static_cast<double>(s.data.classes.size()));
    CHECK(m.score <= 1);
  }
}

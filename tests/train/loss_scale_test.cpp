// The machine of the loss scale.
#include "lptrain/train/loss_scale.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"

using namespace lp;

namespace {

struct Holder {
  Choice<LossScale> loss_scale;
  void fields(Fields& f) { f("loss_scale", loss_scale, ""); }
};

Choice<LossScale> made(const std::string& text) {
  Holder h;
  read(Document::parse("{\"loss_scale\": " + text + "}", "test"), h);
  return h.loss_scale;
}

void report(LossScale& scale, int times, bool are_finite) {
  for (int i = 0; i < times; ++i) scale.report(are_finite);
}

constexpr const char* kSmall = R"({"dynamic": {"initial": 8, "interval": 3, "min": 2}})";

}  // namespace

TEST_CASE("none and static never move and never skip") {
  for (const auto& [text, scale] : {std::pair{"\"none\"", 1.0}, std::pair{R"({"static": {"scale": 128}})", 128.0}}) {
    const Choice<LossScale> s = made(text);
    CHECK(s->scale() == scale);
    CHECK_FALSE(s->can_skip());
    report(*s, 3, true);
    report(*s, 1, false);
    CHECK(s->scale() == scale);
    CHECK(s->state().empty());
  }
}

TEST_CASE("the defaults are those of common practice") {
  const Choice<LossScale> s("dynamic");
  CHECK(s->scale() == 65536);
  report(*s, 1999, true);
  CHECK(s->scale() == 65536);
  report(*s, 1, true);
  CHECK(s->scale() == 131072);
  report(*s, 1, false);
  CHECK(s->scale() == 65536);
}

TEST_CASE("growth wants finite steps in a row; an overflow starts the count anew") {
  const Choice<LossScale> s = made(kSmall);
  report(*s, 2, true);
  report(*s, 1, false);
  CHECK(s->scale() == 4);
  report(*s, 2, true);
  CHECK(s->scale() == 4);
  report(*s, 1, true);
  CHECK(s->scale() == 8);
  report(*s, 3, true);
  CHECK(s->scale() == 16);
}

TEST_CASE("hysteresis: so many overflows are borne before the scale falls; growth forgives them") {
  const Choice<LossScale> s = made(R"({"dynamic": {"initial": 8, "interval": 3, "min": 2, "hysteresis": 2}})");
  report(*s, 1, false);
  CHECK(s->scale() == 8);
  report(*s, 1, false);
  CHECK(s->scale() == 4);
  report(*s, 1, false);  // the second chance is used up
  CHECK(s->scale() == 2);
  report(*s, 3, true);
  CHECK(s->scale() == 4);
  CHECK(s->can_skip());
  report(*s, 1, false);
  CHECK(s->scale() == 4);
  const Choice<LossScale> resumed = made(R"({"dynamic": {"initial": 8, "interval": 3, "min": 2, "hysteresis": 2}})");
  resumed->restore(s->state());
  report(*resumed, 1, false);
  CHECK(resumed->scale() == 2);
}

TEST_CASE("at the least scale there is nothing left to try") {
  const Choice<LossScale> s = made(kSmall);
  CHECK(s->can_skip());
  report(*s, 2, false);
  CHECK(s->scale() == 2);
  CHECK_FALSE(s->can_skip());
  report(*s, 5, false);
  CHECK(s->scale() == 2);
}

TEST_CASE("the scale stays a number of f32") {
  const Choice<LossScale> s = made(R"({"dynamic": {"initial": 1e38, "interval": 1}})");
  report(*s, 50, true);
  CHECK(s->scale() <= 0x1p127);
  CHECK(s->scale() >= 1e38);
}

TEST_CASE("a restored machine goes on like the one that was saved") {
  const Choice<LossScale> a = made(kSmall), b = made(kSmall);
  uint32_t bits = 0b1110'1101'1110'1111'0111'1011'1111u;
  for (int i = 0; i < 28; ++i) {
    a->report(bits >> i & 1);
    b->restore(a->state());
    CHECK(b->scale() == a->scale());
    CHECK(b->state() == a->state());
  }
}

TEST_CASE("the state of a scale that was never asked is its first") {
  const Choice<LossScale> a = made(kSmall), b("dynamic");
  b->restore(a->state());
  CHECK(b->scale() == 8);
}

TEST_CASE("damaged states are refused with the kind that damaged files have") {
  for (const char* text : {"", "{", "[]", R"({"scale": -1, "clean_steps": 0})", R"({"scale": 2, "clean_steps": -1})",
                           R"({"scale": "x"})", R"({"skale": 2})"}) {
    CAPTURE(text);
    const Choice<LossScale> s("dynamic");
    try {
      s->restore(text);
      FAIL("accepted");
    } catch (const Error& e) {
      CHECK(e.kind == ErrorKind::data);
    }
    CHECK(s->scale() == 65536);
  }
}

TEST_CASE("impossible settings are refused") {
  for (const char* text : {R"({"static": {"scale": 0}})", R"({"dynamic": {"backoff": 1}})", R"({"dynamic": {"growth": 0.5}})",
                           R"({"dynamic": {"interval": 0}})", R"({"dynamic": {"initial": 1, "min": 2}})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(made(text), DocumentError);
  }
}

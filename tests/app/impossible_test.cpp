// Formats, roles and methods that cannot be, alone and together: told with the place, what was found and what is possible, before
// anything is done.
#include <doctest/doctest.h>

#include "app/program.h"

using namespace lp::test;

namespace {

struct Case {
  const char *assignment, *says;
};

// The place and the remedy are told; nothing is trained.
void check(const Case& c, const char* config = "configs/smoke_int8.json") {
  CAPTURE(c.assignment);
  const Outcome o = run({"train", config, "--dry-run", "-q", "-s", c.assignment});
  CAPTURE(o.err);
  CHECK(o.code == 2);
  CHECK((o.says("--set ") || o.says(std::string(config) + ":")));
  CHECK(o.says("error: "));
  CHECK(o.says(c.says));
  CHECK_FALSE(o.says("everything checked"));
}

}  // namespace

TEST_CASE("formats that do not exist") {
  for (const Case& c : {Case{"precision.weights=int0", "1 to 32 bits"},
                        {"precision.weights=int33", "1 to 32 bits"},
                        {"precision.errors=e12m60", "at most 11 exponent bits"},
                        {"precision.activations=q0.0", "the smallest is q0.1"},
                        {"precision.weights=posit40_2", "at most 32 bits"},
                        {"precision.master=pow2_1", "need 2 bits"},
                        {"precision.input=flaot", "flaot"},
                        {"precision.weights=int32", "set \"compute\": \"f64\""},
                        {"precision.overrides={\"fc1\": {\"errors\": \"int25\"}}", "set \"compute\": \"f64\""}})
    check(c);
}

TEST_CASE("roles that do not exist, layers that do not exist") {
  for (const Case& c : {Case{"precision.weight=int8", "did you mean \"weights\"?"},
                        {"precision.gradients=int8", "known: input, weights, biases"},
                        {"precision.overrides={\"fc1\": {\"weigths\": \"int4\"}}", "did you mean \"weights\"?"},
                        {"precision.overrides={\"conv*\": \"int4\"}", "matches no layer; known: fc1, fc2, fc3"},
                        {"precision.overrides={\"fc1\": {}}", "names no role"}})
    check(c);
}

TEST_CASE("methods where they make no sense") {
  for (const Case& c :
       {Case{R"(precision.errors={"format": "int8", "scale": "learned"})", "cannot be learned here; try absmax"},
        {R"(precision.master={"format": "int8", "scale": "learned"})", "cannot be learned here; try absmax"},
        {R"(precision.state={"format": "int8", "scale": "ema"})", "needs earlier steps, of which nothing is kept"},
        {R"(precision.weights={"format": "int4", "scale": "ttq"})", "it needs the format ternary"},
        {R"(precision.activations={"format": "ternary", "scale": "ttq"})", "is made for weights; try ema, absmax or learned"},
        {R"(precision.activations={"format": "int4", "scale": "dorefa"})", "is made for weights"},
        {R"(precision.activations={"format": "int4", "scale": "pact"})", "without negative numbers, say uint4"},
        {R"(precision.weights={"format": "int8", "per": "sample"})", "which have examples; try channel"},
        {R"(precision.activations={"format": "int8", "per": "network"})", "try tensor"},
        {R"(precision.weights={"format": "int8", "per": "block:0"})", "say block:32 or group:4"},
        {R"(precision.weights={"format": "e4m3", "zero_point": true})", "needs an integer format"},
        {R"(precision.weights={"format": "uint8", "zero_point": true, "offset": "mean"})", "choose one"},
        {R"(precision.weights={"format": "uint4", "narrow": true})", "needs a signed integer"},
        {R"(precision.errors={"format": "e2m1", "overflow": "infinity"})", "knows no overflow to \"infinity\""},
        {R"(precision.weights={"format": "int8", "rounding": "sometimes"})", "known: nearest_even"},
        {R"(precision.errors={"format": "int8", "rounding": "pseudo_stochastic"})", "a power of two (pow2, layer_shift, fixed)"},
        {R"(precision.weights={"format": "int8", "scale": "twn"})", "known: absmax"},
        {R"(precision.weights={"format": "int8", "gradient": "lsq"})", "known: clipped"}})
    check(c);
}

TEST_CASE("accumulators that cannot hold what they are given") {
  for (const Case& c : {Case{"precision.accumulator=uint16", "it needs a signed integer"},
                        {"precision.accumulator=int8", "which reaches 16129; try int15"},
                        {R"(precision={"accumulator": "int16"})", "give both integer formats, or an accumulator for reals"},
                        {R"(precision.accumulator={"format": "f16", "overflow": "wrap"})", "knows no overflow to \"wrap\""},
                        {R"(precision.accumulator={"format": "f16", "outer": "f32"})", "say how long they are with \"chunk\""},
                        {R"(precision.accumulator={"format": "f16", "rounding": "pseudo_stochastic"})", "try stochastic"}})
    check(c);
}

TEST_CASE("what is not integer only, all of it at once; a later phase's mistakes before the first") {
  const Outcome o = run({"train", "configs/smoke_int8.json", "--dry-run", "-s", "compute=integer", "-s", "train.optimizer=adam"});
  CHECK(o.code == 2);
  for (const char* part : {"--set compute=integer: error: \"compute\": \"integer\" leaves no real arithmetic",
                           "configs/smoke_int8.json:7:", "precision.errors of fc1, fc2, fc3 is not quantized",
                           "fc1.bias is no weight", "--set train.optimizer=adam: error: train.optimizer: does more than lr dw"}) {
    CAPTURE(part);
    CHECK(o.says(part));
  }
  check({R"(phases=[{"name": "a"}, {"name": "b", "precision": {"overrides": {"conv1": "int4"}}}])", "matches no layer"});
}

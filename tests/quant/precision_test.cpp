// Roles and overrides.
#include "lptrain/quant/precision.h"

#include <doctest/doctest.h>

#include "quant/json.h"

using namespace lp;

namespace {
std::string format_of(const Precision& p, Role role, std::string_view layer) { return p.of(role, layer).format.name(); }
}  // namespace

TEST_CASE("roles that are not named are f32") {
  const Precision p = from_json<Precision>(R"({"weights": "int8", "errors": {"format": "int8", "rounding": "stochastic"}})");
  CHECK(format_of(p, Role::weights, "fc1") == "int8");
  CHECK(p.of(Role::errors, "fc1").rounding == Rounding::stochastic);
  for (Role role : {Role::input, Role::biases, Role::activations, Role::weight_grads, Role::state, Role::master})
    CHECK(p.of(role, "fc1").is_identity());
}

TEST_CASE("the last match in file order wins, role by role") {
  const Precision p = from_json<Precision>(R"({"weights": "int8", "activations": "uint8", "overrides": {
      "conv*": "int4", "conv1": {"weights": {"format": "ternary"}}, "*2": "f32", "fc?": {"errors": "e5m2"}}})");
  CHECK(format_of(p, Role::weights, "conv1") == "ternary");
  CHECK(format_of(p, Role::activations, "conv1") == "int4");
  CHECK(format_of(p, Role::weights, "conv2") == "f32");
  CHECK(format_of(p, Role::activations, "block1.conv2") == "f32");
  CHECK(format_of(p, Role::weights, "block1.conv1") == "int8");  // "conv*" is the whole name
  CHECK(format_of(p, Role::weights, "fc1") == "int8");
  CHECK(format_of(p, Role::errors, "fc1") == "e5m2");
  CHECK(format_of(p, Role::errors, "conv1") == "f32");
}

TEST_CASE("a glob that matches nothing is a mistake") {
  const Precision p = from_json<Precision>(R"({"overrides": {"conv1": "int4", "fc9": "f32"}})");
  const std::vector<std::string> layers{"conv1", "fc1"};
  const std::string error = error_of([&] { p.check(layers); });
  CHECK(holds(error, "\"fc9\" matches no layer"));
  CHECK(holds(error, "fc1"));
}

TEST_CASE("scales are refused where they cannot be had") {
  CHECK(holds(error_of([] { from_json<Precision>(R"({"errors": {"format": "int8", "scale": "learned"}})"); }),
              "errors: the scale \"learned\" cannot be learned here"));
  CHECK(holds(error_of([] { from_json<Precision>(R"({"weight_grads": {"format": "int8", "scale": "ema"}})"); }),
              "weight_grads: the scale \"ema\" needs earlier steps"));
  CHECK(holds(
      error_of([] { from_json<Precision>(R"({"overrides": {"fc1": {"state": {"format": "int8", "scale": "learned"}}}})"); }),
      "state"));
  CHECK(holds(error_of([] { from_json<Precision>(R"({"overrides": {"fc1": {}}})"); }), "names no role"));
  CHECK(error_of([] {
          from_json<Precision>(
              R"({"errors": {"format": "int8", "scale": "ema"}, "biases": {"format": "int16", "scale": "learned"}})");
        }).empty());
}

TEST_CASE("layer_shift is for what has the shape of weights") {
  CHECK(holds(error_of([] { from_json<Precision>(R"({"activations": {"format": "int8", "scale": "layer_shift"}})"); }),
              "try pow2"));
  for (const char* role : {"weights", "weight_grads", "master"})
    CHECK(error_of([&] {
            from_json<Precision>(fmt::format(R"({{"{}": {{"format": "int8", "scale": "layer_shift"}}}})", role));
          }).empty());
}

TEST_CASE("every role says what it is") {
  for (size_t i = 0; i < kRoles; ++i) CHECK_FALSE(doc_of(static_cast<Role>(i)).empty());
  static_assert(std::size(Words<Role>::list) == kRoles);
}

TEST_CASE("accumulators have overrides, and are refused where they cannot add") {
  const Precision p = from_json<Precision>(R"({"accumulator": "f16", "overrides": {
      "fc*": {"accumulator": {"format": "int16", "overflow": "wrap"}},
      "conv1": {"accumulator": {"format": "f16", "chunk": 64, "outer": "f32"}}}})");
  CHECK(p.accumulator_of("conv2").name() == "f16");
  CHECK(p.accumulator_of("fc1").name() == "int16, overflow wrap");
  CHECK(p.accumulator_of("conv1").name() == "f16, chunks of 64 summed in f32");
  CHECK(Precision{}.accumulator_of("fc1").is_native());
  constexpr std::pair<const char*, const char*> kCases[] = {
      {R"("ternary")", "an accumulator adds"},
      {R"("uint8")", "an accumulator adds"},
      {R"("pow2_4")", "an accumulator adds"},
      {R"({"format": "e4m3", "overflow": "wrap"})", "e4m3 knows no overflow to \"wrap\""},
      {R"({"format": "f16", "outer": "f32"})", "say how long they are with \"chunk\""},
      {R"({"format": "f16", "chunk": 8, "outer": "e4m3"})", "\"outer\" e4m3 is narrower"},
      {R"({"format": "int24", "chunk": 8, "outer": "int16"})", "\"outer\" int16 is narrower"},
      {R"({"format": "int16", "chunk": 8, "outer": "f32"})", "int16 and f32 do not add"},
      {R"({"chunk": 8})", "needs a narrow \"format\""},
      {R"({"format": "f16", "chunk": -1})", "chunk"},
  };
  for (const auto& each : kCases) {
    CAPTURE(each.first);
    const std::string error = error_of([&] { from_json<Precision>(fmt::format(R"({{"accumulator": {}}})", each.first)); });
    CAPTURE(error);
    CHECK(holds(error, each.second));
    CHECK(holds(error, "accumulator"));
  }
}

TEST_CASE("accumulators that count products of codes need codes, and room for one product") {
  const std::vector<std::string> layers{"fc1"};
  const auto complaint = [&](const char* json) { return error_of([&] { from_json<Precision>(json).check(layers); }); };
  CHECK(complaint(R"({"weights": "int8", "activations": "uint8", "accumulator": "int16"})").empty());
  CHECK(complaint(R"({"weights": "int8", "input": "uint8", "accumulator": "int16"})").empty());
  CHECK(holds(complaint(R"({"weights": "int8", "activations": "uint8", "accumulator": "int15"})"),
              "int15 is narrower than a single product of fc1, int8 x uint8, which reaches 32640; try int16"));
  CHECK(holds(complaint(R"({"accumulator": "int16"})"), "in fc1 weights are f32"));
  CHECK(holds(complaint(R"({"weights": "bf16", "activations": "bf16", "accumulator": "int32"})"), "bf16"));
}

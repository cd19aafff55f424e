// Planned products: the arithmetic that each precision leads to, and rows that really take the call.
#include "lptrain/app/product_plan.h"

#include <doctest/doctest.h>

#include "lptrain/kernel/cpu.h"

using namespace lp;

namespace {

RunConfig config_with(const std::string& precision, const std::string& rest = "") {
  return read_config(Document::parse(R"({"dataset": "digits", "model": {"layers": [
    {"conv2d": {"out": 8, "kernel": 3, "pad": 1}}, "relu",
    {"conv2d": {"out": 16, "kernel": 3, "stride": 2}}, "relu", "flatten", "linear"]},
    "precision": )" + precision + rest + "}",
                                     "test"));
}

// The plan of line i (0 conv1, 2 conv2, 5 fc1), as "forward u8 i8 i32 | dx ...".
std::string arithmetic(const RunConfig& config, size_t i) {
  const Model model = model_of(config, "");
  std::string text;
  for (const ProductPlan& p : plan_products(model.lines()[i], config.precision, 4, config.dtype(), i == 0))
    text += fmt::format("{}{} {} {} {}", text.empty() ? "" : " | ", p.pass, p.a, p.b, p.result);
  return text;
}

const std::string kInt8 =
    R"("weights": {"format": "int8", "per": "channel"}, "activations": {"format": "uint8", "scale": "ema"})";

}  // namespace

TEST_CASE("the input's gradient is not planned") {
  CHECK(arithmetic(config_with("{}"), 0) == "forward f32 f32 f32 | dw f32 f32 f32");
  CHECK(arithmetic(config_with("{}"), 2) == "forward f32 f32 f32 | dx f32 f32 f32 | dw f32 f32 f32");
  CHECK(plan_products(model_of(config_with("{}"), "").lines()[1], {}, 4, DType::f32, false).empty());
}

TEST_CASE("weights and activations in 8 bits: forward on integers; errors too: all of it") {
  for (size_t layer : {2, 5}) {
    CHECK(arithmetic(config_with("{" + kInt8 + "}"), layer) == "forward u8 i8 i32 | dx f32 f32 f32 | dw f32 f32 f32");
    const bool is_linear = layer == 5;
    CHECK(arithmetic(config_with("{" + kInt8 + R"(, "errors": "int8"})"), layer) ==
          (is_linear ? "forward u8 i8 i32 | dx i8 i8 i32 | dw i8 u8 i32" : "forward u8 i8 i32 | dx i8 i8 i32 | dw u8 i8 i32"));
  }
  CHECK(arithmetic(config_with("{" + kInt8 + R"(, "input": "uint8"})"), 0) == "forward u8 i8 i32 | dw f32 f32 f32");
}

TEST_CASE("16 bits, halves, floats without codes, f64") {
  CHECK(arithmetic(config_with(R"({"weights": "int16", "activations": "int8"})"), 5).starts_with("forward i16 i16 f64"));
  CHECK(arithmetic(config_with(R"({"weights": "bf16", "activations": "bf16", "errors": "bf16"})"), 2) ==
        "forward bf16 bf16 f32 | dx bf16 bf16 f32 | dw bf16 bf16 f32");
  CHECK(arithmetic(config_with(R"({"weights": "e4m3", "activations": "e4m3"})"), 2).starts_with("forward f32 f32 f32"));
  CHECK(arithmetic(config_with("{}", R"(, "compute": "f64")"), 5) == "forward f64 f64 f64 | dx f64 f64 f64 | dw f64 f64 f64");
}

TEST_CASE("a plan says why it is not narrower") {
  const auto why = [](const std::string& precision, size_t i) {
    const RunConfig config = config_with(precision);
    const Model model = model_of(config, "");
    return plan_products(model.lines()[i], config.precision, 4, DType::f32, i == 0)[0].why;
  };
  CHECK(why("{" + kInt8 + "}", 2) == "");
  CHECK(why(R"({"weights": "int8"})", 2) == "activations are not quantized");
  CHECK(why(R"({"weights": {"format": "ternary", "scale": "ttq"}, "activations": "int8"})", 2) ==
        "the scale \"ttq\" makes reals of weights");
  CHECK(why(R"({"weights": "int8", "activations": {"format": "uint8", "scale": {"ema": {"delay": 9}}}})", 2) ==
        "activations are quantized after a delay only");
  CHECK(why(R"({"weights": "int8", "activations": {"format": "uint8", "offset": "min"}})", 2) ==
        "activations have a real offset");
  CHECK(why(R"({"weights": "e4m3", "activations": "int8"})", 2) == "weights are e4m3, which has no codes that products run on");
  CHECK(why(R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "int8", "per": "channel"}})", 5) ==
        "activations have a scale per channel");
}

TEST_CASE("the row is the first that takes the call; those above it say why not") {
  const RunConfig config = config_with("{" + kInt8 + "}");
  const Model model = model_of(config, "");
  const Backend cap = backend_cap();
  for (const Backend backend : {Backend::onednn, Backend::native, Backend::reference}) {
    set_backend_cap(std::min(cap, backend));
    for (size_t layer : {0, 2, 5})
      for (const ProductPlan& p : plan_products(model.lines()[layer], config.precision, 4, DType::f32, layer == 0)) {
        CHECK(!p.row.empty());
        for (const FasterRow& row : p.faster) CHECK((row.row != p.row && !row.why.empty()));
        if (backend == Backend::reference) CHECK(p.row == "reference");
      }
  }
  set_backend_cap(cap);
}

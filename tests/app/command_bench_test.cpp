// The benchmark runs the trainer's own step, says what it measured, and refuses what it does not know.
#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <set>

#include "app/program.h"
#include "lptrain/app/bench_cases.h"
#include "lptrain/app/bench_kernels.h"
#include "lptrain/app/product_plan.h"
#include "lptrain/base/document.h"
#include "lptrain/base/text.h"
#include "lptrain/kernel/cpu.h"

using namespace lp;
using namespace lp::test;

namespace {

double number(const Document& d, const std::string& key) { return std::stod(d.text_at(key)); }

// What `explain` says that the products of a task will run on.
std::set<std::string> planned_rows(std::string_view task, std::string_view mode) {
  const RunConfig config = bench_config(task, mode);
  const Dataset data = bench_data(task, 1);
  const Model model(config.model, data.shape, 10, config.precision, config.dtype(), Key(1));
  std::set<std::string> rows;
  for (size_t i = 0; i < model.lines().size(); ++i)
    for (const ProductPlan& plan :
         plan_products(model.lines()[i], config.precision, config.train.batch, config.dtype(), sees_input(model.lines(), i))) {
      const bool is_linear = model.lines()[i].kind == "linear";
      rows.insert((is_linear ? "matmul" : plan.pass == "forward" ? "conv2d" : "conv2d " + plan.pass) + "/" + plan.row);
    }
  return rows;
}

Document measured(const std::string& mode) {
  const Outcome o = run({"bench", "train", "--task", "mlp128", "--mode", mode, "--seconds", "0", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  return Document::parse(last_line(o.out), "stdout");
}

}  // namespace

TEST_CASE("every task in every mode is a config that can be read, with data that fit it") {
  for (const BenchTask& task : bench_tasks()) {
    const Dataset data = bench_data(task.name, 2);
    CHECK(data.shape == task.input);
    CHECK(data.train.size() == 2 * task.batch);
    for (const BenchMode& mode : bench_modes()) CHECK(bench_config(task.name, mode.name).train.batch == task.batch);
  }
}

TEST_CASE("a case tells the peer's keys and ours, and the loss falls") {
  const Document line = measured("int8_full");
  CHECK(line.text_at("task") == "mlp128");
  CHECK(line.text_at("mode") == "int8_full");
  for (const char* key : {"batch", "threads", "train_img_per_s", "train_best", "infer_img_per_s", "infer_best", "gflop_per_s",
                          "steps", "weight_bytes", "peak_bytes"})
    CHECK_MESSAGE(number(line, key) > 0, key);
  CHECK(number(line, "loss_last") < number(line, "loss_first"));
  double total = 0;
  for (size_t i = 0; i < line.size("share"); ++i) total += number(line, fmt::format("share.{}.share", i));
  CHECK(total == doctest::Approx(1));
}

TEST_CASE("every mode runs on the rows that its config foresees") {
  const Outcome o = run({"bench", "train", "--task", "mlp128", "--task", "cnn16", "--seconds", "0", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  size_t lines = 0;
  for (const std::string& text : split(o.out, '\n')) {
    if (text.empty()) continue;
    const Document line = Document::parse(text, "stdout");
    const std::string task = line.text_at("task"), mode = line.text_at("mode");
    CAPTURE(task);
    CAPTURE(mode);
    std::set<std::string> ran;
    for (size_t i = 0; i < line.size("kernels"); ++i) ran.insert(line.text_at(fmt::format("kernels.{}", i)));
    CHECK(fmt::format("{}", fmt::join(ran, " ")) == fmt::format("{}", fmt::join(planned_rows(task, mode), " ")));
    ++lines;
  }
  CHECK(lines == 2 * bench_modes().size());
}

TEST_CASE("inference holds weights at their own width, and binary networks are counted") {
  const Document line = measured("binary"), whole = measured("f32");
  CHECK(number(line, "weight_bytes") < number(whole, "weight_bytes") / 25);  // biases and scales stay in 32 bits
  if (!available(Backend::native, Isa::avx512_vpopcntdq)) return;
  std::set<std::string> rows;
  for (size_t i = 0; i < line.size("kernels"); ++i) rows.insert(line.text_at(fmt::format("kernels.{}", i)));
  CHECK(rows.contains("matmul/popcount"));
}

#ifdef __SANITIZE_ADDRESS__  // which keeps what is freed, to see who still uses it
constexpr bool kFreesMemory = false;
#else
constexpr bool kFreesMemory = true;
#endif

TEST_CASE("a case takes the memory that was foreseen" * doctest::skip(!kFreesMemory)) {
  for (const char* mode : {"f32", "int8_full"}) {
    const Outcome o = run({"bench", "train", "--task", "cnn16", "--mode", mode, "--seconds", "0", "--json"});
    const Document line = Document::parse(last_line(o.out), "stdout");
    CHECK(number(line, "predicted_bytes") == doctest::Approx(number(line, "peak_bytes")).epsilon(0.2));
  }
}

TEST_CASE("kernels: every available row of a family, none above the ceiling by far; unknown families are refused") {
  const Outcome o = run({"bench", "kernels", "--family", "map", "--seconds", "0", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  std::set<std::string> rows;
  for (const std::string& text : split(o.out, '\n')) {
    if (text.empty()) continue;
    const Document line = Document::parse(text, "stdout");
    CHECK(line.text_at("family") == "map");
    CHECK(number(line, "rate") > 0);
    CHECK(number(line, "ceiling") > 0);
    rows.insert(line.text_at("row"));
  }
  CHECK(rows.contains("portable"));
  CHECK(rows.contains("avx2") == (cpu_isa() >= Isa::avx2));
  CHECK(rows.contains("avx512") == (cpu_isa() >= Isa::avx512));
  const Outcome unknown = run({"bench", "kernels", "--family", "mop"});
  CHECK(unknown.code == 2);
  CHECK(unknown.says("did you mean \"map\"?"));
}

TEST_CASE("kernels: quantization is timed for every family of formats") {
  std::set<std::string> types;
  bench_kernels({"quantize"}, 0, {{}, 1}, [&](const KernelLine& line) {
    CHECK(line.rate > 0);
    types.insert(line.types);
  });
  for (const char* type : {"int8", "uint8 zero point", "q3.4", "ternary", "binary", "pow2_4", "bf16", "f16", "e4m3 values",
                           "posit8_2 values", "mxfp4 values", "mxint8 values"})
    CHECK_MESSAGE(types.contains(type), std::string(type));
}

TEST_CASE("kernels: products have the shapes of the tasks, in both directions") {
  std::vector<KernelLine> lines;
  bench_kernels({"matmul"}, 0, {{{"f32", Isa::portable, 1e12}}, 1}, [&](const KernelLine& line) { lines.push_back(line); });
  const auto has = [&](std::string_view shape, std::string_view types) {
    return std::ranges::any_of(lines, [&](const KernelLine& l) { return l.shape == shape && l.types == types && l.share() > 0; });
  };
  CHECK(has("64x128x784 BT", "f32 f32"));
  CHECK(has("64x784x128", "i8 i8"));
  CHECK(has("128x784x64 T", "i8 u8"));
  CHECK(has("64x1000x1000 BT", "bf16 bf16"));
  CHECK(has("128x10x64 BT", "i16 i16"));
}

TEST_CASE("unknown names are refused before anything is timed") {
  const Outcome task = run({"bench", "train", "--task", "mlp129"}), mode = run({"bench", "train", "--mode", "int9"});
  CHECK(task.code == 2);
  CHECK(task.says("there is no task \"mlp129\"; known: mlp128"));
  CHECK(mode.code == 2);
  CHECK(mode.says("there is no mode \"int9\""));
  CHECK(run({"bench", "walk"}).code == 2);
}

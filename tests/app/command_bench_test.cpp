// The benchmark runs the trainer's own step, says what it measured, and refuses what it does not know.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/bench_cases.h"
#include "lptrain/base/document.h"
#include "lptrain/kernel/cpu.h"

using namespace lp;
using namespace lp::test;

namespace {

double number(const Document& d, const std::string& key) { return std::stod(d.text_at(key)); }

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
                          "steps", "peak_bytes"})
    CHECK_MESSAGE(number(line, key) > 0, key);
  CHECK(number(line, "loss_last") < number(line, "loss_first"));
  double total = 0;
  for (size_t i = 0; i < line.size("share"); ++i) total += number(line, fmt::format("share.{}.share", i));
  CHECK(total == doctest::Approx(1));
}

TEST_CASE("a mode runs on the rows that it claims") {
  const auto kernels = [](const Document& line) {
    std::string all;
    for (size_t i = 0; i < line.size("kernels"); ++i) all += line.text_at(fmt::format("kernels.{}", i)) + " ";
    return all;
  };
  const std::string f32 = kernels(measured("f32")), int8 = kernels(measured("int8_full"));
  CHECK(f32.find("i8") == std::string::npos);
  CHECK(f32.find("vnni") == std::string::npos);
  if (cpu_isa() >= Isa::avx512_vnni) CHECK((int8.find("i8") != std::string::npos || int8.find("vnni") != std::string::npos));
}

TEST_CASE("unknown names are refused before anything is timed") {
  const Outcome task = run({"bench", "train", "--task", "mlp129"}), mode = run({"bench", "train", "--mode", "int9"});
  CHECK(task.code == 2);
  CHECK(task.says("there is no task \"mlp129\"; known: mlp128"));
  CHECK(mode.code == 2);
  CHECK(mode.says("there is no mode \"int9\""));
  CHECK(run({"bench", "walk"}).code == 2);
}

// Profiles: made-up spans add up as they should, real ones cover the step, and the trace is JSON that viewers know.
#include "lptrain/app/profile.h"

#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

double number(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

// One step of 10 s: layer "a" around layer "b", a kernel in each, the optimizer, and a kernel of another thread.
const std::vector<Span> kSpans{
    {"matmul", "vnni", 1, 1, 0, 2}, {"forward", "b", 1, 2, 0, 1},  {"map", "relu", 3, 1, 0, 1},   {"forward", "a", 0, 5, 0, 0},
    {"matmul", "vnni", 0, 9, 1, 0}, {"backward", "a", 5, 2, 0, 0}, {"update", "sgd", 7, 1, 0, 1}, {"optimizer", "", 7, 2, 0, 0},
};

}  // namespace

TEST_CASE("layers count without layers inside them, kernels without kernels inside them, other threads not at all") {
  const Profile p = profile_of(kSpans, 2, 20);
  CHECK(p.step_seconds == 10);
  REQUIRE(p.layers.size() == 2);
  CHECK(p.layers[0].name == "b");
  CHECK(p.layers[0].forward_seconds == 1);
  CHECK(p.layers[1].forward_seconds == 1.5);
  CHECK(p.layers[1].backward_seconds == 1);
  CHECK(p.layers[1].share == doctest::Approx(0.25));
  REQUIRE(p.parts.size() == 2);
  CHECK(p.parts[0].name == "optimizer");
  CHECK(p.parts[0].seconds == 1);
  CHECK(p.parts[1].name == "rest");
  CHECK(p.parts[1].seconds == 5.5);
  double kernels = 0, total = p.parts[0].seconds + p.parts[1].seconds;
  for (const Profile::Kernel& k : p.kernels) kernels += k.seconds;
  for (const Profile::Layer& l : p.layers) total += l.forward_seconds + l.backward_seconds;
  CHECK(kernels == 2);
  CHECK(total == p.step_seconds);
  CHECK(profile_of({}, 1, 1).parts[0].seconds == 1);
}

TEST_CASE("a trace is JSON in which every span is a complete event, and threads have names") {
  std::vector<Span> spans = kSpans;
  spans[0].what = "\"quoted\\ \n";
  const Document trace = Document::parse(trace_json(spans), "trace");
  REQUIRE(trace.size("traceEvents") == spans.size() + 2);
  CHECK(trace.text_at("traceEvents.0.name") == spans[0].what);
  CHECK(trace.text_at("traceEvents.0.ph") == "X");
  CHECK(number(trace, "traceEvents.0.ts") == 1e6);
  CHECK(number(trace, "traceEvents.0.dur") == 1e6);
  CHECK(trace.text_at("traceEvents.4.tid") == "1");
  CHECK(trace.text_at("traceEvents.7.name") == "optimizer");
  CHECK(trace.text_at("traceEvents.9.ph") == "M");
  CHECK(trace.text_at("traceEvents.9.args.name") == "thread 1");
  CHECK(Document::parse(trace_json({}), "trace").size("traceEvents") == 0);
}

TEST_CASE("the command tells of the trainer's own steps: layers and parts add up, nine tenths have an owner") {
  const Folder folder;
  const Outcome o = run({"profile", "configs/cnn_int8.json", "-s", "train.batch=8", "--limit", "80", "--steps", "3", "--trace",
                         folder / "t.json", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const Document p = Document::parse(last_line(o.out), "stdout");
  CHECK(p.text_at("steps") == "3");
  double layers = 0, rest = 0;
  for (size_t i = 0; i < p.size("layers"); ++i) layers += number(p, fmt::format("layers.{}.share", i));
  for (size_t i = 0; i < p.size("parts"); ++i) {
    const double share = number(p, fmt::format("parts.{}.share", i));
    (p.text_at(fmt::format("parts.{}.name", i)) == "rest" ? rest : layers) += share;
  }
  CHECK(layers + rest == doctest::Approx(1).epsilon(0.01));
  CHECK(layers >= 0.9);
  const Document trace = Document::load(folder / "t.json");
  size_t backward = 0;
  for (size_t i = 0; i < trace.size("traceEvents"); ++i)
    backward +=
        trace.has(fmt::format("traceEvents.{}.cat", i)) && trace.text_at(fmt::format("traceEvents.{}.cat", i)) == "backward";
  CHECK(backward > 0);
  CHECK(run({"profile", "configs/smoke_int8.json", "--steps", "0"}).code == 2);
}

TEST_CASE("train --profile leaves a trace in the run folder, and only then; meta.json names the rows that ran") {
  const Folder folder;
  const Line words{"train", "configs/smoke_f32.json", "--no-latency", "--limit", "400", "--out"};
  REQUIRE(run(words + Line{folder / "with", "--profile"}).code == 0);
  REQUIRE(run(words + Line{folder / "without"}).code == 0);
  CHECK(Document::load(folder / "with/trace.json").size("traceEvents") > 10);
  CHECK_FALSE(fs::exists(folder / "without/trace.json"));
  for (const char* name : {"with/meta.json", "without/meta.json"}) CHECK(Document::load(folder / name).size("kernels") > 0);
}

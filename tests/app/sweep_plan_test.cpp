// Sweeps resolved: the grid, what sets what, what makes a job the same job; and every bad sweep refused before anything runs.
#include "lptrain/app/sweep_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "app/program.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"

using namespace lp;
using namespace lp::test;

namespace {

const std::string kBase = R"("base": {"model": "tiny_mlp", "dataset": {"name": "spirals", "limit": 50}, "train": {"epochs": 2}})";

SweepSpec spec_of(const std::string& rest, const std::string& base = kBase) {
  const Folder folder;
  write_file(folder / "s.json", "{" + base + (rest.empty() ? "" : ",\n" + rest) + "}");
  return load_sweep(folder / "s.json");
}

SweepPlan plan_of(const std::string& rest, const std::vector<std::string>& only = {}) {
  return plan_sweep(spec_of(rest), only, "");
}

std::string refusal(const std::string& rest) {
  try {
    plan_of(rest);
  } catch (const Error& e) {
    CHECK(e.kind == ErrorKind::usage);
    return e.what();
  }
  return "none";
}

std::set<std::string> keys_of(const SweepPlan& plan) {
  std::set<std::string> keys;
  for (const SweepJob& job : plan.jobs) keys.insert(job.key);
  return keys;
}

const std::string kFormats =
    R"("vary": {"format": {"f32": {}, "int8": {"precision": {"weights": "int8"}}}, "train.batch": [16, 32, 64]})";

}  // namespace

TEST_CASE("the grid is the product of the axes, the last one fastest, each cell once with every seed") {
  const SweepPlan plan = plan_of(kFormats + R"(, "seeds": [1, 5])");
  REQUIRE(plan.cells.size() == 6);
  REQUIRE(plan.jobs.size() == 12);
  CHECK(plan.cells[0].points == Points{"f32", "16"});
  CHECK(plan.cells[4].points == Points{"int8", "32"});
  CHECK(plan.jobs[9].name == "int8 32 seed 5");
  const Document config = plan.config(plan.jobs[9]);
  CHECK(config.text_at("train.batch") == "32");
  CHECK(config.text_at("train.seed") == "5");
  CHECK(config.text_at("precision.weights") == "int8");
  CHECK(config.text_at("name") == "int8 32 seed 5");
  CHECK(keys_of(plan).size() == 12);
  CHECK(plan.cells[0].epochs == 2);
  CHECK(plan.cells[0].work > 0);
}

TEST_CASE("without axes a sweep is one cell over seeds") {
  const SweepPlan plan = plan_of(R"("seeds": [1, 2, 3])");
  CHECK(plan.cells.size() == 1);
  CHECK(plan.jobs.size() == 3);
  CHECK(plan.jobs[0].name == "s seed 1");
}

TEST_CASE("set comes before axes, axes before cells, and cells differ where their points match") {
  const SweepPlan plan =
      plan_of(R"("set": {"train.batch": 8, "train.epochs": 3}, "vary": {"a": {"x": {"train.batch": 9}, "y": {}, "z": {}},
      "b": {"p": {}, "q": {"train.eval_batch": 100}}},
      "cells": [{"where": {"a": "x|y", "b": "q"}, "set": {"train.epochs": 7}}, {"where": {"a": "z", "b": "p"}, "skip": true}])");
  REQUIRE(plan.cells.size() == 5);
  const auto value = [&](size_t job, const char* path) { return plan.config(plan.jobs[job]).text_at(path); };
  CHECK(value(0, "train.batch") == "9");
  CHECK(value(0, "train.epochs") == "3");
  CHECK(value(1, "train.epochs") == "7");
  CHECK(value(2, "train.batch") == "8");
  CHECK(value(3, "train.epochs") == "7");
  CHECK(plan.cells[4].points == Points{"z", "q"});
}

TEST_CASE("a later axis may refine what an earlier one sets") {
  const SweepPlan plan = plan_of(
      R"("vary": {"f": {"int8": {"precision.weights": {"format": "int8"}}}, "precision.weights.scale": ["absmax", "mean_abs"]})");
  CHECK(plan.config(plan.jobs[1]).text_at("precision.weights.scale") == "mean_abs");
  CHECK(plan.config(plan.jobs[1]).text_at("precision.weights.format") == "int8");
}

TEST_CASE("the key is what decides the result: not names and texts, but every value, the seed and the data") {
  const std::set<std::string> plain = keys_of(plan_of(""));
  CHECK(keys_of(plan_of(R"("name": "other", "set": {"description": "d", "expected": "e", "train.batch": 64})")) == plain);
  for (const char* change : {R"("set": {"train.batch": 65})", R"("seeds": [2])", R"("set": {"dataset.limit": 51})",
                             R"("set": {"dataset": {"name": "rings", "limit": 50}})", R"("set": {"precision.weights": "int8"})"})
    CHECK_MESSAGE(keys_of(plan_of(change)) != plain, change);
}

TEST_CASE("sizes change values, seeds and points, and what they make is a sweep") {
  const SweepSpec spec = spec_of(
      kFormats + R"(, "seeds": [1, 2], "quick": {"set": {"train.epochs": 1}, "seeds": [3], "only": ["int8", "train.batch=16"]},
      "published": [{"where": {"format": "int8"}, "value": 99, "band": [-1, 1], "quick": [-9, 9]}])");
  const SweepSpec quick = in_size(spec, "quick");
  CHECK(quick.name == "s-quick");
  CHECK((*quick.published[0].band)[1] == 9);
  const SweepPlan plan = plan_sweep(quick, {}, "");
  REQUIRE(plan.jobs.size() == 1);
  CHECK(plan.jobs[0].name == "int8 16 seed 3");
  CHECK(plan.config(plan.jobs[0]).text_at("train.epochs") == "1");
  SweepSpec back = read_sweep(write(quick, true), "");
  CHECK(write(back) == write(quick));
  CHECK_THROWS_WITH(in_size(spec, "reduced"), doctest::Contains("no \"reduced\" size"));
}

TEST_CASE("--only takes points of one axis as alternatives, axes as conditions") {
  const auto jobs = [](const std::vector<std::string>& only) { return plan_of(kFormats, only).jobs.size(); };
  CHECK(jobs({"int8"}) == 3);
  CHECK(jobs({"int8", "f32"}) == 6);
  CHECK(jobs({"int8", "32", "64"}) == 2);
  CHECK(jobs({"format=*", "train.batch=1*"}) == 2);
  CHECK_THROWS_WITH(plan_of(kFormats, {"int9"}), doctest::Contains("did you mean \"int8\"?"));
  CHECK_THROWS_WITH(plan_of(R"("vary": {"a": {"x": {}}, "b": {"x": {"train.batch": 3}}})", {"x"}), doctest::Contains("a=x"));
}

TEST_CASE("bad sweeps are refused, with all mistakes at once and their places") {
  const std::string unknown =
      refusal(R"("set": {"train.epoch": 3}, "vary": {"x": {"a": {"train.bach": 2}, "b": {"train.batch": "many"}}})");
  CHECK(unknown.find("s.json:2:24: error: unknown key \"epoch\" in train; did you mean \"epochs\"?") != unknown.npos);
  CHECK(unknown.find("unknown key \"bach\"") != unknown.npos);
  CHECK(unknown.find("train.batch must be an integer") != unknown.npos);
  CHECK(std::ranges::count(unknown, '\n') == 2);  // each told once, not once a cell
  const auto refuses = [](const std::string& rest, const std::string& says) {
    const std::string message = refusal(rest);
    CHECK_MESSAGE(message.find(says) != message.npos, message);
  };
  refuses(R"("vary": {"train.batch": []})", "has no points");
  refuses(R"("vary": {"format": {}})", "has no points");
  refuses(R"("vary": {"train.batch": 3})", "wanted a list of values");
  refuses(R"("vary": {"f": {"a": 3}})", "wanted an object");
  refuses(R"("vary": {"train.batch": [3, 3]})", "is there twice");
  refuses(R"("vary": {"f": {"a": {}, "a": {}}})", "duplicate");
  refuses(R"("vary": {"f": {"a": {"train.batch": 2}}, "train.batch": [3]})", "overwrites train.batch of vary.f");
  refuses(R"("vary": {"f": {"a": {"train.batch": 2}}, "g": {"b": {"train": {}}}})", "overwrites train.batch of vary.f");
  refuses(R"("vary": {"f": {"a": {"train": {"batch": 3}, "train.batch": 4}}})", "which its train sets too");
  refuses(R"("vary": {"f": {"a": {"train.batch": 4, "train": {"epochs": 3}}}})", "which its train.batch sets too");
  refuses(R"("vary": {"f": {"a": {}, "b": {"train.batch": 64}}})", "are the same run");
  refuses(R"("vary": {"train.seed": [1, 2]})", "the seeds of a sweep stand in its \"seeds\"");
  refuses(R"("seeds": [])", "at least one");
  refuses(R"("seeds": [1, 1])", "there twice");
  refuses(R"("seeds": [-1])", "0..2^53");
  refuses(R"("rows": ["formt"], "vary": {"format": {"a": {}}})", "did you mean \"format\"?");
  refuses(R"("cells": [{"where": {"f": "x"}, "skip": true}], "vary": {"f": {"a": {}}})", "has no point \"x\"");
  refuses(R"("cells": [{"where": {"f": "a"}}], "vary": {"f": {"a": {}}})", "either \"set\" or \"skip\"");
  refuses(R"("cells": [{"where": {}, "skip": true}])", "no cell is left");
  refuses(R"("set": {"model": "tiny_mpl"})", "tiny_mlp");
  refuses(R"("set": {"precision.overrides.lin9": "int4"})", "lin9");
  refuses(R"("set": {"": 3})", "wanted a path");
  refuses(R"("name": "../x")", "a name holds letters");
  refuses(R"("varry": {})", "did you mean \"vary\"?");
  refuses(R"("published": [{"metric": "accuracy", "band": [1, -1]}])", "low <= high");
  refuses(R"("published": [{}, {"metric": "acuracy"}])", "published.1.metric: error: unknown column \"acuracy\"; did you mean");
}

TEST_CASE("names that only a table or another size needs are refused, too") {
  const auto refuses = [](const std::string& rest, const std::string& says) {
    const std::string message = refusal(kFormats + ", " + rest);
    CHECK_MESSAGE(message.find(says) != message.npos, message);
  };
  refuses(R"("baseline": "f23")", "baseline: no axis has a point \"f23\"; did you mean \"f32\"?");
  refuses(R"("only": ["int9"])", "only int9: no point of an axis is called so; did you mean \"int8\"?");
  refuses(R"("quick": {"only": ["int9"]})", "quick.only int9: no point");
  refuses(R"("reduced": {"only": ["128"]})", "reduced.only 128: no point");
  refuses(R"("quick": {"set": {"train.epoch": 1}})", "did you mean \"epochs\"?");
  refuses(R"("reduced": {"set": {"train.batch": "many"}})", "train.batch must be an integer");
  const std::string without = R"("vary": {"train.batch": [16, 32]}, "published": [{"metric": "difference"}])";
  CHECK(refusal(without).find("baseline: no axis has a point \"f32\"") != std::string::npos);
  CHECK(refusal(R"("vary": {"train.batch": [16, 32]})") == "none");
}

TEST_CASE("what a point sets takes effect, or is refused with its place") {
  const std::string emptied = refusal(R"("vary": {"m": {"a": {}, "b": {"model.layers": []}}})");
  CHECK(emptied.find("s.json:2:") != emptied.npos);
  CHECK(emptied.find("without layers a model is the one that is named") != emptied.npos);
  const std::string inlined = R"("set": {"model": {"layers": ["linear"]}}, )";
  const std::string renamed = refusal(inlined + R"("vary": {"m": {"a": {}, "b": {"model.name": "mlp"}}})");
  CHECK(renamed.find("s.json:2:") != renamed.npos);
  CHECK(renamed.find("set \"model\" instead") != renamed.npos);
  CHECK(plan_of(inlined + R"("vary": {"m": {"a": {}, "b": {"model.layers": ["relu", "linear"]}}})").cells.size() == 2);
  CHECK(run({"train", "smoke_f32", "--dry-run", "--set", "model.layers=[]"}).says("--set model.layers=[]: without layers"));
}

TEST_CASE("a sweep without a base is one if its points bring a config; else the place is told where it would stand") {
  const auto refusal_of = [](const std::string& text) -> std::string {
    try {
      plan_sweep(spec_of("", text), {}, "");
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  const std::string nowhere = refusal_of(R"("vary": {"train.batch": [16, 32]})");
  CHECK(nowhere.find("s.json:1:1: error: no \"model\": wanted one in \"base\"") != nowhere.npos);
  CHECK(nowhere.find("no \"dataset\"") != nowhere.npos);
  CHECK(refusal_of(R"("vary": {"m": {"a": {"extends": "smoke_f32"}}})") == "none");
}

TEST_CASE("a billion jobs are refused at once") {
  std::string values = "1";
  for (int i = 2; i <= 1000; ++i) values += "," + std::to_string(i);
  const std::string axes =
      "\"vary\": {\"train.batch\": [" + values + "], \"train.eval_batch\": [" + values + "], \"train.warmup\": [" + values + "]}";
  const std::string message = refusal(axes);
  CHECK(message.find("1000000000 jobs") != message.npos);
  CHECK(message.find("at most 10000") != message.npos);
}

TEST_CASE("what every phase sets for itself cannot be varied at the top") {
  const std::string phases = R"("base": {"model": "tiny_mlp", "dataset": {"name": "spirals", "limit": 50},
      "phases": [{"train": {"epochs": 1}}, {"train": {"epochs": 2}}]})";
  CHECK_THROWS_WITH(plan_sweep(spec_of(R"("vary": {"train.epochs": [3, 4]})", phases), {}, ""),
                    doctest::Contains("every phase sets \"train.epochs\" for itself"));
  const SweepPlan plan = plan_sweep(spec_of(R"("vary": {"phases.1.train.epochs": [3, 4]})", phases), {}, "");
  CHECK(plan.cells[1].epochs == 5);
}

TEST_CASE("what is no sweep is named") {
  const Folder folder;
  write_file(folder / "run.json", R"({"model": "tiny_mlp", "train": {}})");
  CHECK_THROWS_WITH(load_sweep(folder / "run.json"), doctest::Contains("`lptrain train`"));
  write_file(folder / "s.json", R"({"base": "nowhere_at_all"})");
  CHECK_THROWS_WITH(load_sweep(folder / "s.json"), doctest::Contains("no such config"));
  CHECK_THROWS_WITH(find_sweep("from_64_to_2"), doctest::Contains("did you mean \"from_64_to_1\"?"));
  write_file(folder / "s.json", R"({"base": "smoke_f32.json"})");
  CHECK(load_sweep(folder / "s.json").base.text_at("model") == "tiny_mlp");
  write_file(folder / "t.json", R"({"base": "s.json"})");
  CHECK_THROWS_WITH(load_sweep(folder / "t.json"), doctest::Contains("a sweep itself"));
}

TEST_CASE("data that is not here is told with what to type") {
  const Folder folder;
  const Outcome o = run(Call{{"sweep", source_dir() + "/configs/smoke_f32.json"}, folder.path});
  CHECK(o.code == 2);
  CHECK(o.says("lptrain train"));
  write_file(folder / "s.json", R"({"base": "smoke_f32", "vary": {"dataset": ["spirals", "mnist"]}})");
  const Outcome missing =
      run(Call{{"sweep", "s.json"}, folder.path, {{"LPTRAIN_DATA", folder.path}, {"XDG_CACHE_HOME", folder.path}}});
  CHECK(missing.code == 3);
  CHECK(missing.says("lptrain data mnist --download"));
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("a point may extend a config: what that says, then its own assignments") {
  const Folder folder;
  write_file(folder / "other.json", R"({"name": "other", "description": "of the other", "train": {"epochs": 7, "batch": 8},
                                        "precision": {"weights": "int8"}})");
  write_file(folder / "s.json",
             "{" + kBase + R"(, "vary": {"m": {"plain": {}, "other": {"extends": "other.json", "train.epochs": 3}}}})");
  const SweepPlan plan = plan_sweep(load_sweep(folder / "s.json"), {}, "");
  REQUIRE(plan.jobs.size() == 2);
  const Document config = plan.config(plan.jobs[1]);
  CHECK(config.text_at("train.epochs") == "3");
  CHECK(config.text_at("train.batch") == "8");
  CHECK(config.text_at("precision.weights") == "int8");
  CHECK(config.text_at("description") == "of the other");
  CHECK_FALSE(config.has("extends"));
  // What the config replaced on its way is gone: of two optimizers, one behind the other, the last.
  write_file(folder / "first.json",
             R"({"model": "tiny_mlp", "dataset": "spirals", "train": {"optimizer": {"adam": {"lr": 1}}}})");
  write_file(folder / "second.json", R"({"extends": "first.json", "train": {"optimizer": {"sgd": {"lr": 2}}}})");
  write_file(folder / "settled.json", R"({"vary": {"m": {"a": {"extends": "second.json"}}}})");
  const SweepPlan settled = plan_sweep(load_sweep(folder / "settled.json"), {}, "");
  CHECK(settled.config(settled.jobs[0]).text_at("train.optimizer.sgd.lr") == "2.0");
  CHECK_FALSE(settled.config(settled.jobs[0]).has("train.optimizer.adam"));
  CHECK(refusal(R"("vary": {"m": {"a.b": {"extends": "cnn_int8"}}})").find("cannot have a dot") != std::string::npos);
  CHECK(refusal(R"("vary": {"m": {"a": {"extends": "no_such"}}})").find("no_such") != std::string::npos);
}

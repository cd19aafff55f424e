// Counters in words: each rule speaks when it should, and not before.
#include "lptrain/app/numerics_text.h"

#include <doctest/doctest.h>

using namespace lp;

namespace {

RoleNumerics row(const std::string& layer, Role role, const std::string& format, const Tally& tally) {
  return {layer, role, format, tally};
}

// What is said of an epoch with these rows.
std::vector<std::string> said(std::vector<RoleNumerics> roles, std::vector<UpdateNumerics> updates = {},
                              std::vector<LossScalePoint> loss_scale = {}, int64_t skipped = 0) {
  EpochScores epoch;
  epoch.skipped = skipped;
  epoch.numerics = Numerics{std::move(roles), std::move(updates), {}, std::move(loss_scale)};
  std::vector<std::string> sentences;
  for (const Remark& r : remarks_on(std::span(&epoch, 1))) sentences.push_back(r.sentence());
  return sentences;
}

}  // namespace

TEST_CASE("errors that vanish: loss scaling is the advice, unless it is there already") {
  const Tally vanishing{.numbers = 200, .zeros = 100, .underflows = 31};
  const auto plain = said({row("conv2", Role::errors, "e5m2", vanishing)});
  REQUIRE(plain.size() == 1);
  CHECK(
      plain[0] ==
      "conv2 errors: 31 % of the values that are not 0 become 0 in e5m2; try loss scaling (--set train.loss_scale=dynamic), or a "
      "measured scale (--set precision.errors.scale=absmax)");
  const auto scaled = said({row("conv2", Role::errors, "e5m2", vanishing)}, {}, {{0, 1024}});
  REQUIRE(scaled.size() == 1);
  CHECK(scaled[0].find("loss scaling") == std::string::npos);
  CHECK(said({row("conv2", Role::errors, "e5m2", {.numbers = 200, .zeros = 100, .underflows = 10})}).empty());
}

TEST_CASE("layers of which the same is to be said share a sentence, the gravest first") {
  const auto lines = said({row("a", Role::activations, "int4", {.numbers = 100, .saturated = 10}),
                           row("b", Role::activations, "int4", {.numbers = 100, .saturated = 30}),
                           row("c", Role::activations, "int4", {.numbers = 100, .saturated = 1})});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("b, a activations: 30 %, 10 % of the values are cut off at the end of int4; try"));
}

TEST_CASE("formats of so few numbers that they are meant to lose some are left in peace") {
  for (const char* format : {"binary", "ternary"})
    CHECK(said({row("a", Role::weights, format, {.numbers = 100, .underflows = 60, .saturated = 60})}).empty());
  CHECK(said({row("a", Role::weights, "int4", {.numbers = 100, .underflows = 60, .saturated = 60})}).size() == 2);
}

TEST_CASE("NaN, infinity, lost updates, layers that stand still, skipped steps") {
  CHECK(said({row("a", Role::errors, "f16", {.numbers = 100, .nans = 1})}).size() == 1);
  CHECK(said({row("a", Role::errors, "f16", {.numbers = 100, .overflows = 1})}).size() == 1);
  const auto lost = said({}, {{"fc1", "bf16", "f32", 100, 60, 0, 0}, {"fc2", "bf16", "f32", 100, 20, 0, 0}});
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].starts_with(
      "fc1 updates: 60 % of them are lost, being smaller than the steps of the bf16 master copy; try stochastic"));
  CHECK(said({}, {{"fc1", "f32", "int8", 100, 0, 100, 100}}).size() == 1);
  CHECK(said({}, {{"fc1", "f32", "int8", 100, 0, 100, 99}}).empty());
  const auto skipped = said({}, {}, {{0, 4}}, 10);
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].starts_with("loss scale: 10 steps were skipped"));
  CHECK(remarks_on({}).empty());
  CHECK(remarks_on(std::vector<EpochScores>(1)).empty());
}

TEST_CASE("updates are judged over the phase: the small steps at the end of a schedule are no loss, those of every epoch are") {
  const auto epoch_of = [](int64_t phase, int64_t lost, int64_t same_code) {
    EpochScores epoch;
    epoch.phase = phase;
    epoch.numerics = Numerics{{}, {{"fc1", "q7.8", "int8", 100, lost, 100, same_code}}, {}, {}};
    return epoch;
  };
  const auto remarks = [](const std::vector<EpochScores>& history) { return remarks_on(history).size(); };
  const EpochScores good = epoch_of(0, 5, 90), still = epoch_of(0, 40, 100);
  CHECK(remarks({good, still}) == 0);
  CHECK(remarks({still, still}) == 2);
  CHECK(remarks({good, epoch_of(1, 40, 100)}) == 2);  // the phase before does not speak for this one
  CHECK(remarks({still, good, good}) == 0);
  EpochScores other = good;
  other.numerics->updates[0].weights = "int4";
  CHECK(remarks({other, still}) == 2);
  const Remark r = remarks_on(std::vector{still, epoch_of(0, 60, 100)})[1];
  CHECK(r.shares == std::vector<double>{0.5});
}

TEST_CASE("tables stand in the order of the network; a long trace shows its end") {
  Numerics n;
  n.roles = {row("", Role::input, "int8", {.numbers = 5}), row("b", Role::weights, "int8", {.numbers = 5}),
             row("a", Role::weights, "int8", {.numbers = 5}), row("b", Role::errors, "e5m2", {.numbers = 5})};
  const Cells cells = role_cells(n);
  REQUIRE(cells.size() == 5);
  CHECK(cells[1][0] == "the network");
  CHECK(cells[3][0] == "b");
  CHECK(cells[3][1] == "errors");
  CHECK(cells[4][0] == "a");
  CHECK(loss_scale_text(n).empty());
  for (int i = 0; i < 20; ++i) n.note_loss_scale(i, i % 2 + 1);
  CHECK(loss_scale_text(n).starts_with("(12 changes before), 1 from step 12"));
  CHECK(loss_scale_text(n).ends_with("2 from step 19"));
}

TEST_CASE("pictures only of what there is") {
  EpochScores quiet;
  quiet.numerics.emplace();
  CHECK(numerics_plots(std::vector{quiet}).empty());
  EpochScores loud = quiet;
  loud.step = 10;
  loud.numerics = Numerics{
      {row("a", Role::errors, "e5m2", {.numbers = 10, .underflows = 5})}, {{"a", "bf16", "f32", 10, 5, 0, 0}}, {}, {{0, 8}}};
  const std::vector<Plot> plots = numerics_plots(std::vector{quiet, loud});
  CHECK(plots.size() == 3);
  for (const Plot& plot : plots) CHECK(plot.svg("t").find("nan") == std::string::npos);
}

TEST_CASE("sums in narrow accumulators: what runs beyond, what is held, what is lost, and what helps") {
  const auto said_of = [](const SumCounts& counts) {
    EpochScores epoch;
    epoch.numerics = Numerics{{}, {}, {SumNumerics{"fc1", SumNumerics::Of::dw, "int16", counts}}, {}};
    std::vector<std::string> sentences;
    for (const Remark& r : remarks_on(std::span(&epoch, 1))) sentences.push_back(r.sentence());
    return sentences;
  };
  CHECK(said_of({.sums = 1, .additions = 100, .rounded = 90, .lost = 10}).empty());
  const auto wrapped = said_of({.sums = 1, .additions = 100, .overflows = 31});
  REQUIRE(wrapped.size() == 1);
  CHECK(wrapped[0].starts_with("fc1 sums of dw: 31 % of the additions ran beyond int16; try a wider accumulator"));
  CHECK(said_of({.sums = 1, .additions = 1000, .saturated = 1}).empty());
  CHECK(said_of({.sums = 1, .additions = 1000, .saturated = 2})[0].find("were held at the end of int16") != std::string::npos);
  CHECK(said_of({.sums = 1, .additions = 100, .lost = 11})[0].find("left the sum as it was in int16") != std::string::npos);
  Numerics n;
  n.sums.push_back({"fc1", SumNumerics::Of::y, "f16", {1, 2000, 1000, 10, 0, 1}});
  const Cells cells = sum_cells(n);
  CHECK(cells[1] == std::vector<std::string>{"fc1", "y", "f16", "2.0k", "50.00", "0.50", "-", "0.05"});
}

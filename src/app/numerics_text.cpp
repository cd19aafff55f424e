// What counters mean: one table of rules says from which share on they are worth a word, and what helps.
#include "lptrain/app/numerics_text.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr uint32_t any_of(std::initializer_list<Role> roles) {
  uint32_t set = 0;
  for (const Role role : roles) set |= 1u << static_cast<int>(role);
  return set;
}
constexpr uint32_t kEveryRole = ~0u;
constexpr uint32_t kForward = any_of({Role::input, Role::activations}), kBackward = any_of({Role::errors, Role::weight_grads}),
                   kKept = any_of({Role::weights, Role::biases});

struct Rule {
  uint32_t roles;
  int64_t Tally::*count;
  double threshold;      // share above which it is told
  int64_t least_levels;  // formats with fewer reals are meant to do this
  std::string_view what;
  std::string_view remedy, remedy_if_scaled = {};  // the second while the loss is scaled
};

constexpr Rule kRules[] = {
    {kEveryRole, &Tally::nans, 0, 0, "were infinite or NaN before they became",
     "try a lower learning rate or gradient clipping (--set train.clip_norm=1)"},
    {kBackward, &Tally::overflows, 0, 0, "are too large for",
     "try \"overflow\": \"saturate\", or a format with more exponent bits",
     "a lower loss scale would keep them, and so does \"overflow\": \"saturate\""},
    {any_of({Role::errors}), &Tally::underflows, 0.1, 4, "become 0 in",
     "try loss scaling (--set train.loss_scale=dynamic), or a measured scale (--set precision.errors.scale=absmax)",
     "try a measured scale (--set precision.errors.scale=absmax), or a format with more exponent bits"},
    {any_of({Role::weight_grads}), &Tally::underflows, 0.1, 4, "become 0 in",
     "try a measured scale (--set precision.weight_grads.scale=absmax), or stochastic rounding"},
    {kBackward, &Tally::saturated, 0.01, 4, "are cut off at the end of",
     "try a scale that covers them (\"scale\": \"absmax\"), or a format with more exponent bits",
     "try a lower loss scale, or a scale that covers them (\"scale\": \"absmax\")"},
    {kForward, &Tally::overflows, 0, 0, "are too large for", "try a scale (\"ema\"), or a format with more exponent bits"},
    {kForward, &Tally::saturated, 0.05, 4, "are cut off at the end of",
     "try a scale that covers more (\"ema\", a higher \"percentile\"), or more bits"},
    {kForward, &Tally::underflows, 0.3, 4, "become 0 in", "try a scale that covers less (\"mse\", \"percentile\"), or more bits"},
    {kKept, &Tally::saturated, 0.05, 4, "are cut off at the end of", "try a scale that covers more (\"absmax\"), or more bits"},
    {kKept, &Tally::underflows, 0.5, 4, "become 0 in",
     "try a scale for each channel (\"per\": \"channel\"), \"mse\", or more bits"},
    {any_of({Role::state}), &Tally::underflows, 0.2, 4, "become 0 in",
     "the optimizer forgets them; try bf16, a scale (\"absmax\" per block:64), or stochastic rounding"},
    {any_of({Role::master}), &Tally::saturated, 0.001, 0, "are cut off at the end of",
     "try a master format that reaches farther"},
    {any_of({Role::master}), &Tally::underflows, 0.1, 4, "become 0 in", "try a master format with more exponent bits"},
};
// Of additions in modelled accumulators.
struct SumRule {
  int64_t SumCounts::*count;
  double threshold;
  std::string_view what, remedy;
};
constexpr SumRule kSumRules[] = {
    {&SumCounts::overflows, 0, "ran beyond",
     "try a wider accumulator, shorter sums that a wider one takes (\"chunk\": 32, \"outer\"), or \"overflow\": \"saturate\""},
    {&SumCounts::saturated, 0.001, "were held at the end of",
     "try a wider accumulator, or shorter sums that a wider one takes (\"chunk\": 32, \"outer\")"},
    {&SumCounts::lost, 0.1, "left the sum as it was in",
     "what is added is too small beside it: try shorter sums (\"chunk\": 32), \"rounding\": \"stochastic\", or a wider "
     "accumulator"},
};

constexpr double kLostUpdates = 0.25;  // share above which they are told
constexpr int64_t kSkippedSteps = 10;

std::string share_text(double share) {
  const double percent = 100 * share;
  return percent > 0 && percent < 0.01 ? "less than 0.01 %" : fmt::format("{:.3g} %", percent);
}
std::string layer_text(const std::string& layer) { return layer.empty() ? "the network" : layer; }

double part(int64_t count, int64_t of) { return of ? static_cast<double>(count) / static_cast<double>(of) : 0; }

// Remarks that say the same of several layers become one.
void add(std::vector<Remark>& remarks, const std::string& layer, double share, std::string_view role, const std::string& finding,
         std::string_view remedy) {
  const auto same = std::ranges::find_if(remarks, [&](const Remark& r) { return r.role == role && r.finding == finding; });
  Remark& r =
      same != remarks.end() ? *same : remarks.emplace_back(Remark{{}, {}, std::string(role), finding, std::string(remedy)});
  const auto place = std::ranges::find_if(r.shares, [&](double other) { return other < share; }) - r.shares.begin();
  r.layers.insert(r.layers.begin() + place, layer_text(layer));
  r.shares.insert(r.shares.begin() + place, share);
}

void add_role_remarks(const RoleNumerics& row, bool is_scaled, std::vector<Remark>& remarks) {
  const Format format = Format::parse(row.format);
  for (const Rule& rule : kRules) {
    const double share = row.tally.share(rule.count);
    const bool is_meant = format.bits() < 32 && format.hi() - format.lo() + 1 < rule.least_levels;
    if (!(rule.roles & 1u << static_cast<int>(row.role)) || share <= rule.threshold || is_meant) continue;
    const char* of = rule.count == &Tally::underflows ? "of the values that are not 0" : "of the values";
    add(remarks, row.layer, share, word_of(row.role), fmt::format("{} {} {}", of, rule.what, row.format),
        is_scaled && !rule.remedy_if_scaled.empty() ? rule.remedy_if_scaled : rule.remedy);
  }
}

void add_sum_remarks(const SumNumerics& row, std::vector<Remark>& remarks) {
  for (const SumRule& rule : kSumRules)
    if (const double share = part(row.counts.*rule.count, row.counts.additions); share > rule.threshold)
      add(remarks, row.layer, share, fmt::format("sums of {}", word_of(row.of)),
          fmt::format("of the additions {} {}", rule.what, row.accumulator), rule.remedy);
}

// The row's counts over all epochs of its phase: the last ones of a schedule make steps of next to nothing, which is as it
// should be.
UpdateNumerics over_phase(UpdateNumerics row, std::span<const EpochScores> history) {
  row.updates = row.lost = row.coded = row.same_code = 0;
  for (const EpochScores& epoch : history) {
    if (epoch.phase != history.back().phase || !epoch.numerics) continue;
    for (const UpdateNumerics& u : epoch.numerics->updates) {
      if (u.layer != row.layer || u.master != row.master || u.weights != row.weights) continue;
      row.updates += u.updates, row.lost += u.lost, row.coded += u.coded, row.same_code += u.same_code;
    }
  }
  return row;
}

void add_update_remarks(const UpdateNumerics& row, std::vector<Remark>& remarks) {
  if (const double lost = part(row.lost, row.updates); lost > kLostUpdates)
    add(remarks, row.layer, lost, "updates",
        fmt::format("of them are lost, being smaller than the steps of the {} master copy", row.master),
        "try stochastic rounding (--set precision.master.rounding=stochastic), a wider master copy, or larger steps");
  if (row.coded > 0 && row.same_code == row.coded)
    add(remarks, row.layer, 1, "updates", fmt::format("of them left the code of {} as it was", row.weights),
        "as inference sees it the layer stands still; try a higher learning rate");
}

std::string percent_cell(double share) { return share > 0 ? fmt::format("{:.2f}", 100 * share) : "-"; }

// Rows layer by layer, as the network has them; the order within a layer stays.
std::vector<RoleNumerics> by_layer(std::vector<RoleNumerics> rows) {
  std::vector<std::string> layers;
  for (const RoleNumerics& r : rows)
    if (std::ranges::find(layers, r.layer) == layers.end()) layers.push_back(r.layer);
  std::ranges::stable_sort(rows, {}, [&](const RoleNumerics& r) { return std::ranges::find(layers, r.layer) - layers.begin(); });
  return rows;
}

}  // namespace

std::string Remark::sentence() const {
  constexpr size_t kShown = 6;
  const size_t shown = std::min(layers.size(), kShown);
  std::vector<std::string> parts;
  for (size_t i = 0; i < shown; ++i) parts.push_back(share_text(shares[i]));
  const std::string more = shown < layers.size() ? fmt::format(" and {} more", layers.size() - shown) : "";
  const std::string where = join(std::span(layers).first(shown)) + more, amounts = join(parts) + more;
  return fmt::format("{}{}{}: {}{}{}; {}", where, where.empty() ? "" : " ", role, amounts, amounts.empty() ? "" : " ", finding,
                     remedy);
}

void Remark::fields(Fields& f) {
  f("layers", layers, "the gravest first");
  f("shares", shares, "of the numbers concerned, for each of them");
  f("role", role, "of the numbers");
  f("finding", finding, "what became of them");
  f("remedy", remedy, "what to try");
}

std::vector<Remark> remarks_on(std::span<const EpochScores> history) {
  std::vector<Remark> remarks;
  if (history.empty() || !history.back().numerics) return remarks;
  const EpochScores& epoch = history.back();
  const bool is_scaled = !epoch.numerics->loss_scale.empty();
  for (const RoleNumerics& row : epoch.numerics->roles) add_role_remarks(row, is_scaled, remarks);
  for (const UpdateNumerics& row : epoch.numerics->updates) add_update_remarks(over_phase(row, history), remarks);
  for (const SumNumerics& row : epoch.numerics->sums) add_sum_remarks(row, remarks);
  std::ranges::stable_sort(remarks, std::greater{}, &Remark::gravest);
  if (epoch.skipped >= kSkippedSteps)
    remarks.push_back({{},
                       {},
                       "loss scale",
                       fmt::format("{} steps were skipped, their gradients being infinite", epoch.skipped),
                       "try a lower initial loss scale (--set train.loss_scale.dynamic.initial=1024), or slower growth"});
  return remarks;
}

Cells role_cells(const Numerics& numerics) {
  Cells cells{{"layer", "role", "format", "numbers", "become 0 %", "cut off %", "infinite %", "NaN %", "SQNR dB"}};
  for (const RoleNumerics& r : by_layer(numerics.roles)) {
    const Tally& t = r.tally;
    cells.push_back({layer_text(r.layer), std::string(word_of(r.role)), r.format, human_count(static_cast<double>(t.numbers)),
                     percent_cell(t.share(&Tally::underflows)), percent_cell(t.share(&Tally::saturated)),
                     percent_cell(t.share(&Tally::overflows)), percent_cell(t.share(&Tally::nans)),
                     std::isfinite(t.sqnr_db()) ? fmt::format("{:.1f}", t.sqnr_db()) : "exact"});
  }
  return cells;
}

Cells update_cells(const Numerics& numerics) {
  Cells cells{{"layer", "master", "updates", "lost %", "weights", "same code %"}};
  for (const UpdateNumerics& u : numerics.updates)
    cells.push_back({u.layer, u.master, human_count(static_cast<double>(u.updates)), percent_cell(part(u.lost, u.updates)),
                     u.weights, u.coded ? fmt::format("{:.2f}", 100 * part(u.same_code, u.coded)) : ""});
  return cells;
}

Cells sum_cells(const Numerics& numerics) {
  Cells cells{{"layer", "sums of", "accumulator", "additions", "rounded %", "lost %", "held at the end %", "beyond %"}};
  for (const SumNumerics& s : numerics.sums) {
    const auto share = [&](int64_t SumCounts::*count) { return percent_cell(part(s.counts.*count, s.counts.additions)); };
    cells.push_back({layer_text(s.layer), std::string(word_of(s.of)), s.accumulator,
                     human_count(static_cast<double>(s.counts.additions)), share(&SumCounts::rounded), share(&SumCounts::lost),
                     share(&SumCounts::saturated), share(&SumCounts::overflows)});
  }
  return cells;
}

std::string loss_scale_text(const Numerics& numerics) {
  constexpr size_t kShown = 8;
  std::vector<std::string> parts;
  const size_t count = numerics.loss_scale.size(), first = count > kShown ? count - kShown : 0;
  if (first > 0) parts.push_back(fmt::format("({} changes before)", first));
  for (size_t i = first; i < count; ++i)
    parts.push_back(fmt::format("{:g} from step {}", numerics.loss_scale[i].scale, numerics.loss_scale[i].step));
  return join(parts);
}

}  // namespace lp

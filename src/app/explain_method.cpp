// Explaining methods of training with quantization: one page each, made of what their configs and the tables' rows say.
#include <algorithm>
#include <set>

#include "lptrain/app/console.h"
#include "lptrain/app/explain.h"
#include "lptrain/base/places.h"
#include "lptrain/base/text.h"

namespace lp {
namespace fs = std::filesystem;
namespace {

// A row of a table and what it was told: "mean_abs (differentiable: true): mean magnitude of this very tensor".
template <class Base>
std::string row_text(const std::string& name, const Document& written, std::string_view key) {
  std::string settings;
  const std::string place = fmt::format("{}.{}", key, name);
  if (written.has(key) && written.is_object(key))
    for (const std::string& field : written.keys(place))
      settings += fmt::format("{}{} {}", settings.empty() ? "" : ", ", field, written.at(place + "." + field).dump(0));
  for (const auto& row : choices<Base>())
    if (row.name == name) return fmt::format("{}{}: {}", name, settings.empty() ? "" : fmt::format(" ({})", settings), row.doc);
  return "";
}

std::string grid_text(const Quantizer& q) {
  const GridEnds e = q.ends();
  return fmt::format("{}: reals from {:g} to {:g}, {} bit{}", q.grid().name(), e.low, e.high, q.format.bits(),
                     q.format.bits() == 1 ? "" : "s");
}

bool has_offset(const Quantizer& q) { return q.offset || q.rule().brings_offset(); }

std::string forward_of(const Quantizer& q) {
  if (q.rule().kind() == Scale::Kind::own) return "as s says";
  const bool shifts = has_offset(q);
  return fmt::format("q = s v{},  v = round(u) on the grid,  u = {} / {}", shifts ? " + o" : "", shifts ? "(x - o)" : "x",
                     q.decision ? "r" : "s");
}

// What reaches x through a scale that is a mean of magnitudes, n numbers sharing it; the rule says how much.
std::string passed_by_scale(const Quantizer& q) {
  const Tensor one = Tensor::full({1}, 1), dx = q.rule().pulled_back(one, one, {}, q);
  if (!dx) return "";
  const std::string factor = dx.item() == 1 ? "" : fmt::format("{:g} ", dx.item());
  return fmt::format(" + {}sign(x) / n sum dy {}", factor, q.decision ? "v" : "(v - u h'(u))");
}

// What quantize() differentiates (quant/quantize.h), with what is 0 or 1 left out.
std::string backward_of(const Quantizer& q, Role role) {
  if (role >= Role::errors || q.rule().kind() == Scale::Kind::own) return "";
  const bool is_straight = q.gradient.is_identity(), covers = !q.divider().clips() && q.gradient == Estimator();
  const std::string ratio = q.decision && !is_straight ? "s / r " : "", slope = is_straight || covers ? "" : " h'(u)";
  std::string text = fmt::format("dx = dy{}{}", ratio.empty() ? "" : " " + ratio, slope);
  if (covers && !q.decision) text += q.ends().low == 0 && !q.zero_point && !has_offset(q) ? " where x >= 0" : " (s covers x)";
  text += passed_by_scale(q);
  if (q.rule().learns()) text += fmt::format(",  ds = g sum dy ({} - u h'(u))", q.rule().learns_from_rounding() ? "v" : "h(u)");
  if (q.offset && q.offset->learns()) text += ",  do = g sum dy (1 - h'(u))";
  return text;
}

QuantizerExplanation explained(Role role, const std::string& layers, const Quantizer& q) {
  QuantizerExplanation e{
      std::string(word_of(role)), layers, grid_text(q), forward_of(q), backward_of(q, role), {}, {}, {}, {}, {}};
  const Document written = write(q, true);
  e.scale = fmt::format("{}; one per {}", row_text<Scale>(rule_name(q), written, "scale"), q.per.name());
  if (q.decision) e.decision = row_text<Scale>(q.decision.name(), written, "decision");
  if (q.offset) e.offset = row_text<Offset>(q.offset.name(), written, "offset");
  e.rounding = fmt::format("{}: {}", word_of(q.rounding), doc_of(q.rounding));
  if (!e.backward.empty()) e.gradient = fmt::format("{}: {}", q.gradient.name(), q.gradient.row().doc);
  return e;
}

MethodPhase explained(const PhaseSpec& phase) {
  MethodPhase p{phase.name, {}, {}, {}, write(phase.train, true).dump(0)};
  const Accumulator& sums = phase.precision.accumulator;
  if (!sums.is_native()) p.accumulator = sums.name();
  for (size_t i = 0; i < kRoles; ++i)
    if (!phase.precision.roles[i].is_identity())
      p.quantizers.push_back(explained(static_cast<Role>(i), "", phase.precision.roles[i]));
  for (const auto& [layers, rule] : phase.precision.overrides) {
    bool is_float = !rule.both || rule.both->is_identity();
    for (size_t i = 0; i < kRoles; ++i) {
      const std::optional<Quantizer>& q = rule.roles[i];
      if (q && !q->is_identity()) p.quantizers.push_back(explained(static_cast<Role>(i), layers, *q)), is_float = false;
    }
    if (is_float) p.in_float.push_back(layers);
  }
  return p;
}

fs::path file_of(const std::string& name) {
  std::error_code error;
  if (name.find('/') == name.npos)
    for (const fs::path& folder : places("configs"))
      if (const fs::path file = folder / "methods" / (name + ".json"); fs::is_regular_file(file, error)) return file;
  return {};
}

}  // namespace

void QuantizerExplanation::fields(Fields& f) {
  f("role", role, "which numbers");
  f("layers", layers, "pattern; empty: all");
  f("format", format, "which reals");
  f("forward", forward, "formula");
  f("backward", backward, "formula");
  f("scale", scale, "s");
  f("decision", decision, "r");
  f("offset", offset, "o");
  f("rounding", rounding, "to which neighbour");
  f("gradient", gradient, "h");
}

std::string QuantizerExplanation::text(const QuantizerExplanation* before) const {
  static constexpr std::pair<const char*, std::string QuantizerExplanation::*> kFacts[] = {
      {"format", &QuantizerExplanation::format},     {"forward", &QuantizerExplanation::forward},
      {"backward", &QuantizerExplanation::backward}, {"s", &QuantizerExplanation::scale},
      {"r", &QuantizerExplanation::decision},        {"o", &QuantizerExplanation::offset},
      {"rounding", &QuantizerExplanation::rounding}, {"h", &QuantizerExplanation::gradient}};
  std::string facts;
  for (const auto& [name, fact] : kFacts)
    if (!(this->*fact).empty() && !(before && before->*fact == this->*fact))
      facts += fmt::format("\n  {:<9} {}", name, this->*fact);
  return facts.empty() ? "" : fmt::format("\n{}{}{}", role, layers.empty() ? "" : " of " + layers, facts);
}

void MethodPhase::fields(Fields& f) {
  f("name", name, "of the phase");
  f("quantizers", quantizers, "by role");
  f("in_float", in_float, "layers that are left alone");
  f("accumulator", accumulator, "of products; empty: that of the arithmetic");
  f("train", train, "what differs from the defaults");
}

void MethodExplanation::fields(Fields& f) {
  f("name", name, "of the method");
  f("description", description, "what it does, and its paper");
  f("expected", expected, "what the config reaches");
  f("config", config, "file");
  f("model", model, "that it is shown on");
  f("phases", phases, "in order");
}

std::string MethodPhase::text(const MethodPhase* before) const {
  std::string text;
  for (const QuantizerExplanation& q : quantizers) {
    const auto is_same = [&](const QuantizerExplanation& o) { return o.role == q.role && o.layers == q.layers; };
    const QuantizerExplanation* old = nullptr;
    if (before)
      if (const auto found = std::ranges::find_if(before->quantizers, is_same); found != before->quantizers.end()) old = &*found;
    text += q.text(old);
  }
  if (quantizers.empty()) text += "\nnothing is quantized";
  if (!accumulator.empty() && !(before && before->accumulator == accumulator)) text += "\nsums of products: " + accumulator;
  if (!in_float.empty()) text += fmt::format("\nlayers left in float: {}", join(in_float));
  return text + fmt::format("\ntraining: {}", train);
}

std::string MethodExplanation::text() const {
  std::string text = fmt::format("{}: {}\n", name, description);
  for (size_t i = 0; i < phases.size(); ++i) {
    if (phases.size() > 1)
      text += fmt::format("{}\nphase \"{}\"{}", i > 0 ? "\n" : "", phases[i].name, i > 0 ? ", what differs" : "");
    text += phases[i].text(i > 0 ? &phases[i - 1] : nullptr);
  }
  return text + fmt::format("\n\nmodel: {}\nexpected: {}\nrun: lptrain {}", model, expected, config);
}

std::vector<std::string> method_names() {
  std::set<std::string> names;
  for (const fs::path& folder : places("configs")) {
    std::error_code error;
    for (fs::directory_iterator it(folder / "methods", error), end; !error && it != end; it.increment(error))
      if (it->path().extension() == ".json") names.insert(it->path().stem().string());
  }
  return {names.begin(), names.end()};
}

std::optional<MethodExplanation> explain_method(const std::string& name) {
  const fs::path file = file_of(name);
  if (file.empty()) return {};
  const RunConfig config = load_config(file);
  MethodExplanation m{name, config.description, config.expected, "configs/methods/" + name + ".json", config.model.name, {}};
  for (const PhaseSpec& phase : config.phases) m.phases.push_back(explained(phase));
  return m;
}

}  // namespace lp

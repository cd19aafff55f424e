// Narrower formats, and lenses that do not forget.
#include "lptrain/app/narrowing.h"

#include <algorithm>

#include "lptrain/base/text.h"

namespace lp {
namespace {

bool is_signed_integer(const Format& f) { return f.family == Format::Family::Fixed && f.is_signed && f.bits() > 1; }

template <class F>
struct EachLens : Visitor {
  F f;
  explicit EachLens(F function) : f(std::move(function)) {}
  void lens(Lens& l) override { f(l); }
};

}  // namespace

Quantizer with_format(Quantizer q, const Format& format) {
  if (q.is_identity()) {
    q = Quantizer{};
    q.per = Per::channel;
    q.narrow = true;
  }
  q.format = format;
  q.narrow = q.narrow && is_signed_integer(format);
  q.zero_point = q.zero_point && format.family == Format::Family::Fixed && format.fraction_bits == 0;
  return q;
}

Format activation_format(const Format& weights, bool is_signed) {
  if (weights.is_float()) return weights;
  return Format::parse(fmt::format("{}int{}", is_signed ? "" : "u", std::max(2, weights.bits())));
}

std::vector<Format> formats_in(const std::string& list) {
  std::vector<Format> formats;
  for (const std::string& word : split(list, ',')) {
    const bool is_number = !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
    formats.push_back(Format::parse(!is_number ? word : word == "1" ? "binary" : "int" + word));
  }
  return formats;
}

LensMemory::LensMemory(Model& model) {
  EachLens note([this](Lens& l) {
    states_[l.name] = {l.quantizer, l.observed, l.scale ? l.scale->value : Tensor(), l.offset ? l.offset->value : Tensor()};
  });
  model.visit(note);
}

void LensMemory::restore(Model& model) const {
  EachLens remind([this](Lens& l) {
    const auto found = states_.find(l.name);
    if (found == states_.end()) return;
    const State& s = found->second;
    const bool is_same = l.quantizer == s.quantizer;
    if (l.quantizer.rule().kind() == Scale::Kind::observed && l.quantizer.per == s.quantizer.per) l.observed = s.observed;
    if (is_same && l.scale) l.scale->value = s.scale;
    if (is_same && l.offset) l.offset->value = s.offset;
  });
  model.visit(remind);
}

void see_through(Model& model, const Precision& precision, const LensMemory& memory) {
  model.set_precision(precision);
  memory.restore(model);
}

}  // namespace lp

// Names for combinations that hardware and standards have made common: block formats.
#pragma once
#include "lptrain/quant/quantizer.h"

namespace lp {

// What a quantizer's "format" may be besides a number format: a word that stands for several of its fields. What is written
// beside it must leave it what its name says.
struct Preset {
  std::string_view name, doc;
  std::string_view json;  // the fields
};
std::span<const Preset> presets();

// Which keys of q make it something else than the preset; empty: none. Open to choice are its rounding, overflow and gradient,
// and how its rule of scales measures ("pow2" by floor, ceil, even ...).
std::vector<std::string> contradictions(const Quantizer& q, const Preset& preset);

// A number format, or a preset whose fields are to be read.
struct FormatWord {
  Format format;
  const Preset* preset = nullptr;

  static FormatWord parse(std::string_view text);  // throws Error(usage)
  std::string name() const { return format.name(); }
  static std::vector<std::string> known();
};

}  // namespace lp

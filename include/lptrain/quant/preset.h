// Names for combinations that hardware and standards have made common: block formats.
#pragma once
#include "lptrain/quant/quantizer.h"

namespace lp {

// What a quantizer's "format" may be besides a number format: a word that stands for several of its fields, as if they had been
// written before the others (which may change them).
struct Preset {
  std::string_view name, doc;
  std::string_view json;  // the fields
};
std::span<const Preset> presets();

// A number format, or a preset whose fields are to be read.
struct FormatWord {
  Format format;
  const Preset* preset = nullptr;

  static FormatWord parse(std::string_view text);  // throws Error(usage)
  std::string name() const { return format.name(); }
  static std::vector<std::string> known();
};

}  // namespace lp

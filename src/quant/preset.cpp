// The table of presets.
#include "lptrain/quant/preset.h"

#include <algorithm>

#include "lptrain/base/document.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

// Elements of MX and their shared scale: OCP Microscaling Formats (MX) Specification 1.0, sections 5 and 6; mxint8 without -128,
// as the specification allows, for symmetry. NVFP4: blocks of 16 with an e4m3 scale each and an f32 for the tensor (NVIDIA 2025).
// Block floating point: one exponent for 16 signed mantissas.
constexpr Preset kPresets[] = {
    {"mxfp8_e4m3", "OCP MX: e4m3 in blocks of 32 with a power of two each",
     R"({"format": "e4m3", "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"},
    {"mxfp8_e5m2", "OCP MX: e5m2 in blocks of 32 with a power of two each",
     R"({"format": "e5m2", "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"},
    {"mxfp6_e3m2", "OCP MX: e3m2 in blocks of 32 with a power of two each",
     R"({"format": "e3m2", "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"},
    {"mxfp6_e2m3", "OCP MX: e2m3 in blocks of 32 with a power of two each",
     R"({"format": "e2m3", "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"},
    {"mxfp4", "OCP MX: e2m1 in blocks of 32 with a power of two each",
     R"({"format": "e2m1", "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"},
    {"mxint8", "OCP MX: 8-bit integers in blocks of 32 with a power of two each",
     R"({"format": "q1.6", "narrow": true, "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"},
    {"nvfp4", "e2m1 in blocks of 16 with an e4m3 scale each, and one f32 for the tensor",
     R"({"format": "e2m1", "per": "block:16", "scale": "absmax", "scale_format": "e4m3"})"},
    {"bfp8", "block floating point: 8-bit mantissas, one exponent for 16",
     R"({"format": "q1.6", "narrow": true, "per": "block:16", "scale": "pow2", "scale_format": "e8m0"})"},
    {"bfp6", "block floating point: 6-bit mantissas, one exponent for 16",
     R"({"format": "q1.4", "narrow": true, "per": "block:16", "scale": "pow2", "scale_format": "e8m0"})"},
    {"bfp4", "block floating point: 4-bit mantissas, one exponent for 16",
     R"({"format": "q1.2", "narrow": true, "per": "block:16", "scale": "pow2", "scale_format": "e8m0"})"},
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

std::vector<std::string> contradictions(const Quantizer& q, const Preset& preset) {
  Quantizer plain;
  read(Document::parse(preset.json, preset.name), plain);
  plain.rounding = q.rounding;
  plain.overflow = q.overflow;
  plain.gradient = q.gradient;
  if (q.scale.name() == plain.scale.name()) plain.scale = q.scale;
  const Document wanted = write(plain);
  std::vector<std::string> keys;
  for (const auto& [key, found] : write(q).members())
    if (!wanted.has(key) || !(found == wanted.at(key))) keys.push_back(fmt::format("\"{}\"", key));
  return keys;
}

FormatWord FormatWord::parse(std::string_view text) {
  const auto found = std::ranges::find(kPresets, text, &Preset::name);
  if (found != std::end(kPresets)) return {Format{}, &*found};
  for (const std::string_view family : {"mx", "nvfp", "bfp"})
    if (text.starts_with(family)) fail(ErrorKind::usage, "unknown format \"{}\"{}", text, suggestion(text, known()));
  return {Format::parse(text), nullptr};
}

std::vector<std::string> FormatWord::known() {
  std::vector<std::string> names = Format::known();
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

}  // namespace lp

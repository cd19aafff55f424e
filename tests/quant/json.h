// Quantizers to test with, spelled as in a config.
#pragma once
#include <string>
#include <string_view>

#include "lptrain/base/document.h"
#include "lptrain/quant/precision.h"

namespace lp {

template <class T>
T from_json(std::string_view json) {
  T value;
  read(Document::parse(json, "test.json"), value);
  return value;
}

inline Quantizer quantizer(std::string_view json) { return from_json<Quantizer>(json); }

// What an Error says, or "" if f throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace lp

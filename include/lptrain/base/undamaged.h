// Texts that lptrain wrote itself: what is wrong in them is damage, not a mistake of whoever calls.
#pragma once
#include <filesystem>

#include "lptrain/base/document.h"

namespace lp {

// Runs what may find mistakes in such a text: Error(data), and not usage.
template <class Action>
auto undamaged(const Action& action) {
  try {
    return action();
  } catch (const DocumentError& e) {
    fail(ErrorKind::data, "{}", e.what());
  }
}

// A file that a run left.
inline Document read_left(const std::filesystem::path& file) {
  return undamaged([&] { return Document::load(file); });
}

}  // namespace lp

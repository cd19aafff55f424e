// The part of self-describing structs that is not a template.
#include "lptrain/base/fields.h"

#include "lptrain/base/text.h"

namespace lp::detail {

void unknown_word(std::string_view found, std::span<const std::string> known) {
  fail(ErrorKind::usage, "unknown name \"{}\"{}", found, suggestion(found, known));
}

}  // namespace lp::detail

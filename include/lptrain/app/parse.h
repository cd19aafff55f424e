// From words to arguments, by a command's row.
#pragma once
#include <span>
#include <string>

#include "lptrain/app/command.h"

namespace lp {

// Throws Error(usage): unknown options with a suggestion, missing values, words too many, required words that are absent.
Arguments parse_arguments(const Command& command, std::span<const std::string> words);

}  // namespace lp

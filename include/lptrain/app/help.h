// Help and version, written from the table of commands.
#pragma once
#include <string>

#include "lptrain/app/command.h"

namespace lp {

std::string overview();                         // what `lptrain` alone says: at most 20 lines
std::string help_text();                        // every command
std::string help_text(const Command& command);  // usage, examples, options
std::string version_text(bool is_verbose);      // with commit, compiler, processor, kernels, threads

}  // namespace lp

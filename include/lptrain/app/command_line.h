// The program, but for `main`.
#pragma once
#include <string>
#include <vector>

namespace lp {

// Runs what the words (without the program's name) ask for and returns the exit code. Never throws: errors become messages on
// stderr.
int run_command_line(const std::vector<std::string>& words);

}  // namespace lp

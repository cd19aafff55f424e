// How anything in lptrain fails: one exception type, whose kind decides the exit code of the program.
#pragma once
#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace lp {

// Exit codes of the command line.
enum class ErrorKind {
  failure = 1,   // it went wrong while running (disk full, a library refused)
  usage = 2,     // the command line, a config or a name is wrong
  data = 3,      // a data file or a checkpoint is missing or damaged
  diverged = 4,  // training blew up, or a result is below what was demanded
};

// A mistake of the user or of the world, told like a colleague would: the place, what was found, what was wanted, what to try.
struct Error : std::runtime_error {
  Error(ErrorKind error_kind, const std::string& message) : std::runtime_error(message), kind(error_kind) {}
  ErrorKind kind;
};

// Throws Error(kind, formatted message).
template <class... A>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<A...> format, A&&... a) {
  throw Error(kind, fmt::format(format, std::forward<A>(a)...));
}

// Throws Error(usage, formatted message) unless the claim holds: for arguments that a caller or a config can get wrong.
template <class... A>
void require(bool claim, fmt::format_string<A...> format, A&&... a) {
  if (!claim) fail(ErrorKind::usage, format, std::forward<A>(a)...);
}

}  // namespace lp

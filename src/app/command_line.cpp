// From words to a command, from exceptions to exit codes.
#include "lptrain/app/command_line.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/help.h"
#include "lptrain/app/parse.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

using Line = std::vector<std::string>;  // the words as typed, without the program's name

bool holds(const Line& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

void put(const std::string& text, std::FILE* stream = stdout) { std::fputs(text.c_str(), stream); }

// The command that the words name; they lose its name. Without one, a config, or options alone, mean train.
const Command& command_of(Line& words) {
  const std::string first = words.front();
  if (const Command* named = find_command(first)) {
    words.erase(words.begin());
    return *named;
  }
  if (first.starts_with("-") || looks_like_config(first)) return *find_command("train");
  std::vector<std::string> names;
  for (const Command& c : commands()) names.emplace_back(c.name);
  const std::string near = nearest_word(first, names);
  fail(ErrorKind::usage, "unknown command \"{}\"; {}", first,
       near.empty() ? "`lptrain --help` lists all (a config's name ends in .json)" : fmt::format("did you mean \"{}\"?", near));
}

int dispatch(Line words) {
  if (words.empty()) {
    put(overview(), stderr);
    return static_cast<int>(ErrorKind::usage);
  }
  const bool wants_help = holds(words, "--help") || holds(words, "-h");
  if (words[0] == "--version") {
    put(version_text(holds(words, "--verbose") || holds(words, "-v")));
    return 0;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    put(help_text());
    return 0;
  }
  const Command& command = command_of(words);
  if (wants_help) {
    put(help_text(command));
    return 0;
  }
  return command.run(parse_arguments(command, words));
}

// What --json promises, kept when a command fails: the last line of stdout is an object.
struct Failure {
  std::string status, message;
  int64_t exit = 0;
  void fields(Fields& f) {
    f("status", status, "error or diverged");
    f("exit", exit, "exit code of the program");
    f("message", message, "for people");
  }
};

int failed(const Line& words, ErrorKind kind, std::string_view what, bool has_places = false) {
  const std::string message = with_short_words(what);
  print_error(message, has_places);
  const Failure failure{kind == ErrorKind::diverged ? "diverged" : "error", message, static_cast<int64_t>(kind)};
  if (holds(words, "--json")) put(write(failure).dump(0) + "\n");
  return static_cast<int>(kind);
}

int guarded(const Line& words) {
  try {
    return dispatch(words);
  } catch (const DocumentError& e) {
    return failed(words, e.kind, e.what(), true);
  } catch (const Error& e) {
    return failed(words, e.kind, e.what());
  } catch (const std::bad_alloc&) {
    return failed(words, ErrorKind::failure, "memory is out; try a smaller \"batch\" or \"eval_batch\"");
  } catch (const std::exception& e) {
    return failed(words, ErrorKind::failure, e.what());
  }
}

bool reader_is_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

// Results that could not be written are no results; a reader that went away (`| head`) had enough of them.
int flushed(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
  const std::string reason = errno ? std::strerror(errno) : "an earlier write failed";
  if (reader_is_gone()) return code;
  print_error("cannot write to standard output: " + reason);
  return code ? code : static_cast<int>(ErrorKind::failure);
}

}  // namespace

int run_command_line(const Line& words) {
  std::signal(SIGPIPE, SIG_IGN);
  return flushed(guarded(words));
}

}  // namespace lp

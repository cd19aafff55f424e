// The only place that prints: results go to stdout, everything meant for people to stderr.
#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "lptrain/app/command.h"
#include "lptrain/base/document.h"

namespace lp {

// What a stream shows text on.
bool is_terminal(std::FILE* stream);  // one that can redraw a line: TERM=dumb cannot
bool has_colour(std::FILE* stream);   // a terminal, and NO_COLOR is not set
int terminal_width();                 // of stderr, or $COLUMNS, or 80

// A command's voice, by its options --json, -q, -v and --no-progress (those that its row has).
class Console {
 public:
  explicit Console(const Arguments& arguments);

  bool is_json() const { return json_; }
  bool is_quiet() const { return quiet_; }
  bool shows_progress() const { return progress_; }

  // A result, on stdout. With --json it is left out: stdout then holds the object alone.
  void print(std::string_view text) const;
  template <class... A>
  void print(fmt::format_string<A...> format, A&&... a) const {
    print(std::string_view(fmt::format(format, std::forward<A>(a)...)));
  }
  void json(const Document& object) const;  // a result on one line, with --json only

  // A message, on stderr; not with -q. detail: with -v only.
  void say(std::string_view text) const;
  template <class... A>
  void say(fmt::format_string<A...> format, A&&... a) const {
    say(std::string_view(fmt::format(format, std::forward<A>(a)...)));
  }
  template <class... A>
  void detail(fmt::format_string<A...> format, A&&... a) const {
    if (verbose_) say(format, std::forward<A>(a)...);
  }

 private:
  bool json_ = false, quiet_ = false, verbose_ = false, progress_ = true;
};

// "error: ..." on stderr; in red where that can be seen. Texts that tell their places themselves (DocumentError) stay as they
// are.
void print_error(std::string_view message, bool has_places = false);

// Rows of cells as text, columns aligned: numbers right, words left. The first row is the heading.
using Cells = std::vector<std::vector<std::string>>;
std::string table_text(const Cells& rows);
std::vector<bool> numeric_columns(const Cells& rows);  // those that stand to the right

}  // namespace lp

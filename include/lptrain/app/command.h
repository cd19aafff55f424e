// The command line as data: parser, help, completion and the README's list of commands all derive from one table.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

// What may follow a command's name.
struct Option {
  enum class Kind : uint8_t {
    positional,   // CONFIG
    positionals,  // IMAGE...
    flag,         // --json
    value,        // --seed N; the last one counts
    list,         // --set A --set B
  };
  Kind kind;
  std::string_view name;  // without dashes: "seed"; of a positional as help shows it: "CONFIG"
  std::string_view doc;
  std::string_view value = {};  // what the value is, as help shows it: "N"
  char letter = 0;              // -s
  bool is_required = false;     // of positionals

  bool is_positional() const { return kind <= Kind::positionals; }
};

// The words of one call, by option. Asking for an option that the command's row does not have is a programmer's mistake
// (std::logic_error).
class Arguments {
 public:
  using Values = std::map<std::string, std::vector<std::string>, std::less<>>;
  Arguments(Values values, std::vector<std::string> words) : values_(std::move(values)), words_(std::move(words)) {}

  bool has(std::string_view option) const { return !list(option).empty(); }
  const std::string& text(std::string_view option) const;  // "" if absent
  std::optional<int64_t> integer(std::string_view option, int64_t low,
                                 int64_t high) const;  // throws Error(usage) outside low..high
  std::optional<double> number(std::string_view option, double low, double high) const;
  const std::vector<std::string>& list(std::string_view option) const;
  bool knows(std::string_view option) const { return values_.contains(option); }      // the row has it
  bool given(std::string_view option) const { return knows(option) && has(option); }  // for code that commands share
  const std::vector<std::string>& words() const { return words_; }  // the command's name, and what was typed after it

 private:
  Values values_;
  std::vector<std::string> words_;
};

struct Command {
  std::string_view name;
  std::string_view doc;                    // one line
  std::vector<std::string_view> examples;  // arguments and what they do: "configs/cnn_int8.json    train it"
  std::vector<Option> options;
  int (*run)(const Arguments&);  // the exit code; throws Error
};

// In the order in which help lists them. Rows in src/app/commands.cpp; each command in a file of its own.
std::span<const Command> commands();
const Command* find_command(std::string_view name);  // null if there is none

}  // namespace lp

// The only file that knows CLI11: a row of the table becomes a parser.
#include "lptrain/app/parse.h"

#include <CLI/CLI.hpp>

#include <algorithm>

#include "lptrain/base/error.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

std::string spelled(const Option& option) {
  return option.letter ? fmt::format("-{},--{}", option.letter, option.name) : fmt::format("--{}", option.name);
}

// Flags hold one empty text if they are given.
void add(CLI::App& app, const Option& option, std::vector<std::string>& into) {
  using enum Option::Kind;
  if (option.kind == flag) {
    app.add_flag_callback(spelled(option), [&into] { into = {""}; });
    return;
  }
  CLI::Option* added = app.add_option(spelled(option), into)->expected(1)->allow_extra_args(false);
  if (option.kind == value)
    added->take_last();
  else
    added->take_all();
}

std::string hint(const Command& command) { return fmt::format(" (see `lptrain {} --help`)", command.name); }

void refuse_unknown_options(const Command& command, const std::vector<std::string>& left) {
  if (left.empty()) return;
  std::vector<std::string> known{"--help"};
  for (const Option& option : command.options)
    if (!option.is_positional()) known.push_back(fmt::format("--{}", option.name));
  const std::string name = left[0].substr(0, left[0].find('='));
  const std::string near = nearest_word(name, known);
  fail(ErrorKind::usage, "{}: unknown option {}{}{}", command.name, name,
       near.empty() ? "" : fmt::format("; did you mean {}?", near), hint(command));
}

// The words that are no options, in order: one for each positional, the rest for the one that takes many.
void place_words(const Command& command, std::span<const std::string> words, Arguments::Values& values) {
  for (const Option& option : command.options) {
    if (!option.is_positional()) continue;
    std::vector<std::string>& into = values[std::string(option.name)];
    const size_t taken = option.kind == Option::Kind::positional ? std::min<size_t>(words.size(), 1) : words.size();
    into.assign(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(taken));
    words = words.subspan(taken);
    if (option.is_required && into.empty())
      fail(ErrorKind::usage, "{}: wants {}: {}{}", command.name, option.name, option.doc, hint(command));
  }
  if (!words.empty()) fail(ErrorKind::usage, "{}: unexpected \"{}\"{}", command.name, words[0], hint(command));
}

// "--seed wants a value: N" instead of the library's wording.
std::string missing_value(const Command& command, const std::string& what) {
  for (const Option& option : command.options)
    if (!option.value.empty() && what.find(fmt::format("--{}", option.name)) != what.npos)
      return fmt::format("--{} wants a value: {}", option.name, option.value);
  return what;
}

// An empty text is a shell variable that was never set.
void refuse_empty_values(const Command& command, const Arguments::Values& values) {
  for (const Option& option : command.options)
    if (option.kind == Option::Kind::value)
      for (const std::string& text : values.at(std::string(option.name)))
        require(!text.empty(), "{}: --{} wants a value: {}, found an empty one{}", command.name, option.name, option.value,
                hint(command));
}

}  // namespace

Arguments parse_arguments(const Command& command, std::span<const std::string> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  Arguments::Values values;
  std::vector<std::string> positionals;
  app.add_option("words", positionals);
  for (const Option& option : command.options)
    if (!option.is_positional()) add(app, option, values[std::string(option.name)]);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    fail(ErrorKind::usage, "{}: {}{}", command.name, missing_value(command, error.what()), hint(command));
  }
  refuse_unknown_options(command, app.remaining());
  refuse_empty_values(command, values);
  place_words(command, positionals, values);
  std::vector<std::string> typed{std::string(command.name)};
  typed.insert(typed.end(), words.begin(), words.end());
  return {std::move(values), std::move(typed)};
}

}  // namespace lp

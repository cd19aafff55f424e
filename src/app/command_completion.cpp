// lptrain completion: the table of commands as a completion script.
#include "lptrain/app/console.h"
#include "lptrain/base/error.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

// The words that options and choices of a command may be: "--json -q", "show validate".
std::string option_words(const Command& command) {
  std::vector<std::string> words{"--help"};
  for (const Option& option : command.options) {
    if (option.is_positional()) continue;
    words.push_back(fmt::format("--{}", option.name));
    if (option.letter) words.push_back(fmt::format("-{}", option.letter));
  }
  return join(words, " ");
}

std::vector<std::string> choice_words(const Command& command) {
  for (const Option& option : command.options)
    if (option.is_positional() && !option.value.empty()) return split(option.value, '|');
  return {};
}

std::string command_words() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  return join(names, " ");
}

// ---- bash

constexpr std::string_view kBash = R"(# lptrain: bash completion, written by `lptrain completion bash`
_lptrain() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" command="${{COMP_WORDS[1]}}" options="" choices=""
  COMPREPLY=()
  compopt -o filenames 2>/dev/null
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{} --help --version" -- "$word") $(compgen -f -X '!*.json' -- "$word") $(compgen -d -- "$word"))
    return
  fi
  case "$command" in
{}    *) options="{}" ;;
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *)
      [ "$COMP_CWORD" -eq 2 ] && COMPREPLY=($(compgen -W "$choices" -- "$word"))
      [ "${{#COMPREPLY[@]}}" -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
      ;;
  esac
}}
complete -F _lptrain lptrain
)";

std::string bash() {
  std::string cases;
  for (const Command& c : commands())
    cases += fmt::format("    {}) options=\"{}\" choices=\"{}\" ;;\n", c.name, option_words(c), join(choice_words(c), " "));
  return fmt::format(kBash, command_words(), cases, option_words(*find_command("train")));  // a config alone means train
}

// ---- zsh

constexpr std::string_view kZsh = R"(#compdef lptrain
# lptrain: zsh completion, written by `lptrain completion zsh`
_lptrain() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _files -g '*.json'
    return
  fi
  local command="$words[2]"
  case "$command" in
{}    *) _files ;;
  esac
}}
_lptrain "$@"
)";

// Text inside '...' in which some characters mean something to _arguments and _describe.
std::string zsh_text(std::string_view text) {
  std::string safe;
  for (char c : text) {
    if (c == '\'')
      safe += "'\\'";
    else if (c == ':' || c == '[' || c == ']')
      safe += '\\';
    safe += c;
  }
  return safe;
}

std::string zsh_option(const Option& o) {
  if (o.is_positional()) {
    const bool many = o.kind == Option::Kind::positionals;
    const std::string action = o.value.empty() ? "_files" : fmt::format("({})", join(split(o.value, '|'), " "));
    return fmt::format("'{}:{}:{}'", many ? "*" : o.is_required ? "" : ":", zsh_text(o.name), action);
  }
  const std::string value = o.kind == Option::Kind::flag ? "" : fmt::format(":{}:_files", zsh_text(o.value));
  return fmt::format("'{}--{}[{}]{}'", o.kind == Option::Kind::list ? "*" : "", o.name, zsh_text(o.doc), value);
}

std::string zsh() {
  std::string names, cases;
  for (const Command& c : commands()) {
    names += fmt::format("    '{}:{}'\n", c.name, zsh_text(c.doc));
    cases += fmt::format("    {}) shift words; (( CURRENT-- )); _arguments", c.name);
    for (const Option& option : c.options) cases += " \\\n      " + zsh_option(option);
    cases += " ;;\n";
  }
  return fmt::format(kZsh, names, cases);
}

// ---- fish

std::string fish_text(std::string_view text) {
  std::string safe;
  for (char c : text) {
    if (c == '\'' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string fish_option(const Command& command, const Option& o) {
  std::string line = fmt::format("complete -c lptrain -n '__fish_seen_subcommand_from {}'", command.name);
  if (o.is_positional()) return o.value.empty() ? "" : fmt::format("{} -f -a '{}'\n", line, join(split(o.value, '|'), " "));
  line += fmt::format(" -l {}", o.name);
  if (o.letter) line += fmt::format(" -s {}", o.letter);
  if (o.kind != Option::Kind::flag) line += " -r";
  return fmt::format("{} -d '{}'\n", line, fish_text(o.doc));
}

std::string fish() {
  std::string text = "# lptrain: fish completion, written by `lptrain completion fish`\n";
  for (const Command& c : commands())
    text += fmt::format("complete -c lptrain -n __fish_use_subcommand -a {} -d '{}'\n", c.name, fish_text(c.doc));
  for (const Command& c : commands())
    for (const Option& option : c.options) text += fish_option(c, option);
  return text;
}

struct Shell {
  std::string_view name;
  std::string (*script)();
};
constexpr Shell kShells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

}  // namespace

int command::completion(const Arguments& arguments) {
  const std::string& name = arguments.text("SHELL");
  std::vector<std::string> known;
  for (const Shell& shell : kShells) {
    known.emplace_back(shell.name);
    if (shell.name != name) continue;
    std::string script = shell.script();
    script.pop_back();  // print() ends the line
    Console(arguments).print(std::string_view(script));
    return 0;
  }
  fail(ErrorKind::usage, "completion: unknown shell \"{}\"{}", name, suggestion(name, known));
}

}  // namespace lp

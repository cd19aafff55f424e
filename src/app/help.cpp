// Help and version.
#include "lptrain/app/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "lptrain/base/parallel.h"
#include "lptrain/base/text.h"
#include "lptrain/base/version.h"
#include "lptrain/kernel/cpu.h"

namespace lp {
namespace {

std::string left_of(const Option& option) {
  if (option.kind == Option::Kind::positionals) return fmt::format("{}...", option.name);
  if (option.is_positional()) return std::string(option.name);
  const std::string letter = option.letter ? fmt::format("-{}, ", option.letter) : "    ";
  return fmt::format("{}--{}{}{}", letter, option.name, option.value.empty() ? "" : " ", option.value);
}

std::string usage(const Command& command) {
  std::string line = fmt::format("lptrain {}", command.name);
  for (const Option& option : command.options) {
    if (!option.is_positional()) continue;
    const char* bracket = option.is_required ? "" : "[";
    line += fmt::format(" {}{}{}", bracket, left_of(option), *bracket ? "]" : "");
  }
  return line + " [OPTIONS]";
}

std::string command_lines() {
  size_t width = 0;
  for (const Command& c : commands()) width = std::max(width, c.name.size());
  std::string text;
  for (const Command& c : commands()) text += fmt::format("  {:{}}  {}\n", c.name, width, c.doc);
  return text;
}

}  // namespace

std::string overview() {
  std::vector<std::string> names;
  for (const Command& c : commands()) names.emplace_back(c.name);
  return fmt::format(
      "lptrain {}: trains neural networks in the number formats they will be deployed in\n"
      "\n"
      "  lptrain configs/cnn_int8.json                 train: int8 weights, uint8 activations, generated digits\n"
      "  lptrain configs/cnn_int8.json -s train.epochs=8 -s precision.weights.format=int4\n"
      "  lptrain eval runs/cnn_int8-20260101-120000    measure what came of it\n"
      "\n"
      "Commands: {}\n"
      "More: lptrain --help, lptrain COMMAND --help\n",
      version(), join(names, " "));
}

std::string help_text() {
  return fmt::format(
      "Usage: lptrain CONFIG.json [OPTIONS]      the same as lptrain train CONFIG.json\n"
      "       lptrain COMMAND ...\n"
      "\n"
      "Commands:\n"
      "{}"
      "\n"
      "  lptrain COMMAND --help                  its options, with examples\n"
      "  lptrain --version [--verbose]           commit, compiler, processor, kernels\n"
      "\n"
      "Exit codes: 0 done, 1 failed while running, 2 usage or config, 3 data or checkpoint, 4 diverged, below --fail-below\n"
      "            or a target accuracy, 130 and 143 interrupted, after saving\n"
      "Environment: LPTRAIN_DATA (folder of data sets), LPTRAIN_ISA and LPTRAIN_BACKEND (caps on kernels), OMP_NUM_THREADS,\n"
      "             NO_COLOR, COLUMNS\n",
      command_lines());
}

std::string help_text(const Command& command) {
  std::string text = fmt::format("lptrain {}: {}\n\nUsage: {}\n", command.name, command.doc, usage(command));
  if (!command.examples.empty()) text += "\nExamples:\n";
  for (std::string_view example : command.examples) text += fmt::format("  lptrain {} {}\n", command.name, example);
  size_t width = 0;
  for (const Option& option : command.options) width = std::max(width, left_of(option).size());
  text += "\nOptions:\n";
  for (const Option& option : command.options) text += fmt::format("  {:{}}  {}\n", left_of(option), width, option.doc);
  return text;
}

std::string version_text(bool is_verbose) {
  std::string text = fmt::format("lptrain {}\n", version());
  if (!is_verbose) return text;
  text +=
      fmt::format("commit    {}\ncompiler  {}\ncpu       {}\n", commit().empty() ? "unknown" : commit(), compiler(), cpu_name());
  text += fmt::format("isa       {} (widest that kernels may use; LPTRAIN_ISA caps it)\n", name_of(cpu_isa()));
  std::vector<std::string> backends;
  for (Backend b : {Backend::onednn, Backend::openblas, Backend::native, Backend::reference}) {
    const std::string reason = unavailable(b, Isa::portable);
    backends.push_back(reason.empty() ? std::string(name_of(b)) : fmt::format("{} ({})", name_of(b), reason));
  }
  return text += fmt::format("kernels   {}\nthreads   {}\n", join(backends), thread_count());
}

}  // namespace lp

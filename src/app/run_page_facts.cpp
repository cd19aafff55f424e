// What a run worked on, and where: data, machine, program.
#include <algorithm>

#include "lptrain/app/html.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/base/text.h"
#include "run_page_parts.h"

namespace lp {
namespace {

using Texts = std::vector<std::string>;

constexpr size_t kNamesShown = 20, kValuesShown = 4;

// The first `most` of them.
std::string shown(const Texts& names, size_t most) {
  Texts first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), most)));
  if (first.size() < names.size()) first.push_back(fmt::format("... ({})", names.size()));
  return join(first);
}

std::string text_in(const Document& d, const std::string& key) { return d.has(key) ? d.text_at(key) : ""; }

// What the documents say at a key, each once, in the order of the runs.
Texts values_at(std::span<const Document> metas, const std::string& key) {
  Texts values;
  for (const Document& meta : metas) {
    const std::string value = text_in(meta, key);
    if (!value.empty() && std::ranges::find(values, value) == values.end()) values.push_back(value);
  }
  return values;
}

std::string period(Texts times) {
  if (times.empty()) return "";
  const auto [first, last] = std::ranges::minmax(times);
  return first == last ? first : fmt::format("{} to {}", first, last);
}

std::string card_of(const DataFacts& f) {
  const auto count = [&](const SplitFacts& split, const char* remark) {
    return f.train.examples > 0 ? fmt::format("{} examples{}", grouped(split.examples), remark) : "";
  };
  return html::facts({{"name", f.name},
                      {"what", f.title},
                      {"source", f.source},
                      {"licence", f.licence},
                      {"example", f.shape},
                      {"classes", shown(f.classes, kNamesShown)},
                      {"training", count(f.train, "")},
                      {"validation", count(f.validation, ", drawn from training")},
                      {"test", count(f.test, "")},
                      {"sha256", f.digest}});
}

}  // namespace

std::string data_section(std::span<const DataFacts> sets) {
  std::string cards;
  for (const DataFacts& f : sets) cards += card_of(f);
  return html::section("Data", "", sets.size() > 1 ? html::columns(cards) : cards);
}

std::string environment_facts(std::span<const Document> metas) {
  const auto all = [&](const char* key) { return shown(values_at(metas, key), kValuesShown); };
  const std::string commits = all("commit");
  return html::facts({{"lptrain", all("version") + (commits.empty() ? "" : " (" + commits + ")")},
                      {"compiler", all("compiler")},
                      {"processor", all("cpu")},
                      {"instructions", all("isa")},
                      {"kernels", all("backend")},
                      {"threads", all("threads") + (metas.size() > 1 ? " a run" : "")},
                      {metas.size() > 1 ? "seeds" : "seed", shown(values_at(metas, "seed"), kNamesShown)},
                      {"started", period(values_at(metas, "started"))}});
}

std::string command_text(const Texts& words) {
  Texts all{"lptrain"};
  all.insert(all.end(), words.begin(), words.end());
  return shell_text(all);
}

Texts command_of(const Document& meta) {
  Texts words;
  for (size_t i = 0; i < meta.size("command"); ++i) words.push_back(meta.text_at(fmt::format("command.{}", i)));
  return words;
}

}  // namespace lp

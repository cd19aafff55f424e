// Explaining words that values are chosen by: rows of choices, names of lists, number formats.
#include <algorithm>
#include <set>

#include "lptrain/app/console.h"
#include "lptrain/app/explain.h"
#include "lptrain/app/format_facts.h"
#include "lptrain/app/run_schema.h"
#include "lptrain/base/text.h"
#include "lptrain/quant/preset.h"

namespace lp {
namespace {

// In the order of Rounding.
constexpr std::string_view kRoundingDocs[] = {
    "the nearer; of two equally near, the one with the even code",
    "the nearer; of two equally near, the one farther from zero",
    "the lower",
    "the upper",
    "the one nearer to zero",
    "up with the chance of the share of the step that lies below, so that the mean is right",
    "away from zero if the leading half of the bits that the shift cuts off is more than the other half, which is its random "
    "number; with h leading bits the mean is off by 2^-(h+1) + 4^-h of a step at most   Source: Wang et al. 2022 (NITI)",
};
static_assert(std::size(kRoundingDocs) == std::size(Words<Rounding>::list));

std::optional<FormatWord> format_of(const std::string& word) {
  try {
    return FormatWord::parse(word);
  } catch (const Error&) {
    return {};
  }
}

std::string format_doc(const FormatWord& format) {
  if (format.preset) return std::string(format.preset->doc);
  const FormatFacts f = facts_of(format.format);
  return fmt::format("number format of {} bit{} ({}): reals from {:.6g} to {:.6g}, the smallest positive one {:.6g}", f.bits,
                     f.bits == 1 ? "" : "s", f.fields_text, f.lowest, f.max, f.smallest);
}

// A key that words may stand at.
struct WordKey {
  KeyLine line;
  std::vector<WordHelp> words;

  bool has(const std::string& word) const { return std::ranges::find(words, word, &WordHelp::word) != words.end(); }
  bool takes_formats() const { return has(kBf16.name()); }  // others than those that it lists, too
  std::string doc_of(const std::string& word) const;
};

// Rows without docs have them elsewhere, if anywhere.
std::string WordKey::doc_of(const std::string& word) const {
  const auto found = std::ranges::find(words, word, &WordHelp::word);
  if (found != words.end() && !found->doc.empty()) return found->doc;
  if (line.path.ends_with(".rounding"))
    return std::string(kRoundingDocs[std::ranges::find(Words<Rounding>::list, word) - std::begin(Words<Rounding>::list)]);
  if (line.path.ends_with(".gradient")) return std::string(Estimator::parse(word).row().doc);
  const auto format = takes_formats() ? format_of(word) : std::nullopt;
  return format ? format_doc(*format) : "";
}

// All roles have the same keys: "precision.<role>.scale".
std::string without_role(const std::string& path) {
  std::vector<std::string> parts = split(path, '.');
  if (parts.size() > 2 && parts[0] == "precision" && std::ranges::count(Words<Role>::list, parts[1]) > 0) parts[1] = "<role>";
  return join(parts, ".");
}

// Once for all roles.
std::vector<WordKey> word_keys() {
  std::vector<WordKey> keys;
  std::set<std::string> seen;
  for (const FieldHelp& line : own_help()) {
    const bool has_words = line.type.ends_with("choice") || line.type.ends_with("word");
    const std::string path = without_role(line.path);
    if (has_words && seen.insert(path).second)
      keys.push_back({{path, line.doc}, words_at(line.type.starts_with("list") ? line.path + ".*" : line.path)});
  }
  return keys;
}

}  // namespace

std::string_view doc_of(Rounding rounding) { return kRoundingDocs[static_cast<size_t>(rounding)]; }

void WordMeaning::fields(Fields& f) {
  f("doc", doc, "what it means; empty: see the keys");
  f("keys", keys, "that it may stand at");
}

void WordExplanation::fields(Fields& f) {
  f("word", word, "as configs spell it");
  f("meanings", meanings, "by table");
}

std::string WordExplanation::text() const {
  std::string text;
  for (const WordMeaning& meaning : meanings) {
    Cells keys;
    for (const KeyLine& key : meaning.keys) keys.push_back({fmt::format("  {}", key.path), key.doc});
    text += fmt::format("{}{}{}\nkeys that take it\n{}", text.empty() ? "" : "\n\n", word,
                        meaning.doc.empty() ? "" : fmt::format(": {}", meaning.doc), table_text(keys));
  }
  return text;
}

std::optional<WordExplanation> explain_word(const std::string& word) {
  const auto format = format_of(word);
  WordExplanation found{word, {}};
  for (const WordKey& key : word_keys()) {
    if (!key.has(word) && !(format && !format->preset && key.takes_formats())) continue;
    const std::string doc = key.doc_of(word);
    auto meaning = std::ranges::find(found.meanings, doc, &WordMeaning::doc);
    if (meaning == found.meanings.end()) meaning = found.meanings.insert(meaning, WordMeaning{doc, {}});
    meaning->keys.push_back(key.line);
  }
  return found.meanings.empty() ? std::nullopt : std::optional(found);
}

std::vector<std::string> choice_words() {
  std::set<std::string> words;
  for (const WordKey& key : word_keys())
    for (const WordHelp& word : key.words) words.insert(word.word);
  return {words.begin(), words.end()};
}

}  // namespace lp

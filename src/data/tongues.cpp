// Grammars of syllables.
#include "lptrain/data/tongues.h"

#include <array>
#include <set>
#include <string_view>

#include "lptrain/data/decode_text.h"
#include "lptrain/data/exact.h"

namespace lp {
namespace {

constexpr size_t kLongestWord = 12, kWindow = 24;

// A word is one to three syllables onset + vowel + coda, then often an ending.
struct Tongue {
  std::string_view name;
  std::array<std::string_view, 6> onsets;
  std::array<std::string_view, 4> vowels, codas, endings;
};
constexpr Tongue kTongues[] = {
    {"Aluri", {"l", "r", "m", "n", "v", ""}, {"a", "i", "u", "ai"}, {"", "", "", "n"}, {"ri", "la", "na", "u"}},
    {"Brockish", {"br", "kr", "st", "g", "d", "h"}, {"o", "u", "e", "a"}, {"ck", "rt", "ld", "n"}, {"er", "en", "holt", "gar"}},
    {"Chezzo", {"c", "p", "t", "z", "g", "b"}, {"a", "e", "i", "o"}, {"", "n", "zz", "r"}, {"ino", "etti", "ella", "o"}},
    {"Dvorn", {"dv", "z", "k", "m", "pr", "s"}, {"a", "o", "e", "i"}, {"v", "r", "n", "sk"}, {"ov", "ska", "in", "ko"}},
    {"Eltuu", {"k", "t", "p", "h", "s", "l"}, {"aa", "uu", "i", "a"}, {"", "n", "l", "s"}, {"nen", "la", "ki", "maa"}},
    {"Fyrdal", {"f", "sv", "b", "h", "st", "l"}, {"y", "o", "a", "e"}, {"rd", "l", "n", "m"}, {"dal", "sen", "berg", "vik"}},
};

template <size_t N>
std::string_view one_of(const std::array<std::string_view, N>& list, Dice& dice) {
  return list[static_cast<size_t>(dice.below(N))];
}

std::string word(const Tongue& tongue, Dice& dice) {
  std::string text;
  const int64_t syllables = 1 + dice.below(2) + dice.below(2);
  for (int64_t i = 0; i < syllables; ++i) {
    text += one_of(tongue.onsets, dice);
    text += one_of(tongue.vowels, dice);
    if (i + 1 == syllables || dice.chance(0.5f)) text += one_of(tongue.codas, dice);
  }
  if (dice.chance(0.7f)) text += one_of(tongue.endings, dice);
  return text.substr(0, kLongestWord);
}

// Letters that words of a language can have, sorted.
std::string letters_of(const Tongue& tongue) {
  std::set<char> letters;
  const auto add = [&](const auto& list) {
    for (const std::string_view part : list) letters.insert(part.begin(), part.end());
  };
  add(tongue.onsets), add(tongue.vowels), add(tongue.codas), add(tongue.endings);
  return {letters.begin(), letters.end()};
}

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";

// Token 0 is what is no letter.
std::vector<int32_t> tokens_of(std::string_view text, std::string_view letters) {
  std::vector<int32_t> tokens;
  for (const char c : text) tokens.push_back(static_cast<int32_t>(letters.find(c) + 1));
  return tokens;
}

std::vector<std::string> letters_behind(const std::string& first, std::string_view letters) {
  std::vector<std::string> list{first};
  for (const char c : letters) list.emplace_back(1, c);
  return list;
}

const Tongue& babbled() { return kTongues[3]; }

}  // namespace

std::vector<std::string> tongue_names() {
  std::vector<std::string> names;
  for (const Tongue& t : kTongues) names.emplace_back(t.name);
  return names;
}

Examples word_examples(int64_t count, Key key) {
  TextRows rows(count, kLongestWord);
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    Dice dice(key.with(static_cast<uint64_t>(i)));
    const size_t label = static_cast<size_t>(i) % std::size(kTongues);
    rows.add(tokens_of(word(kTongues[label], dice), kLetters));
    labels.push_back(static_cast<int32_t>(label));
  }
  return {rows.inputs, labels};
}

Examples babble_examples(int64_t count, Key key) {
  const std::string letters = letters_of(babbled());
  TextRows rows(count, kWindow);
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    Dice dice(key.with(static_cast<uint64_t>(i)));
    const size_t skipped = static_cast<size_t>(dice.below(kLongestWord));
    std::string text;
    while (text.size() <= skipped + kWindow) text += word(babbled(), dice) + " ";
    const std::vector<int32_t> tokens = tokens_of(std::string_view(text).substr(skipped, kWindow + 1), letters);
    rows.add({tokens.begin(), tokens.end() - 1});
    labels.push_back(tokens.back());
  }
  return {rows.inputs, labels};
}

std::vector<std::string> word_alphabet() { return letters_behind("", kLetters); }
std::vector<std::string> babble_alphabet() { return letters_behind(" ", letters_of(babbled())); }
std::vector<std::string> babble_classes() { return letters_behind("space", letters_of(babbled())); }

}  // namespace lp

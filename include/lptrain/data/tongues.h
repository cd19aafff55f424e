// Generated text: words of six invented languages. The same on every machine.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "lptrain/base/random.h"
#include "lptrain/data/examples.h"

namespace lp {

std::vector<std::string> tongue_names();

// f32 [count, 12]: a word, padded in front; token 0 is padding, 1..26 are letters. The label is the language, which are asked in
// turn: each has sounds of its own and shares some with the others, so that not every word can be told.
Examples word_examples(int64_t count, Key key);
std::vector<std::string> word_alphabet();

// f32 [count, 24]: a window of words of the first language with spaces between them; the label is the character behind. Token 0
// is the space, 1..26 are letters; labels count the same.
Examples babble_examples(int64_t count, Key key);
std::vector<std::string> babble_alphabet();
std::vector<std::string> babble_classes();

}  // namespace lp

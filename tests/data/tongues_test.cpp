// Generated words: frozen, balanced, of the letters that they promise.
#include "lptrain/data/tongues.h"

#include "data/fixtures.h"
#include "lptrain/base/files.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string digest(const Examples& e) {
  return sha256(std::string(static_cast<const char*>(e.inputs.raw()), static_cast<size_t>(e.inputs.bytes())));
}

}  // namespace

TEST_CASE("the same words on every machine") {
  CHECK(digest(word_examples(500, Key(1))) == "6533ddb7662096c1f38fb4b9e370f2ad7fe9ecca13610a19fca2d0bb049be4a1");
  CHECK(digest(babble_examples(500, Key(1))) == "fd187b4251d9e4bb941471fa437596c08b8386cb92ef6197c6eec66b343d7ac4");
}

TEST_CASE("words are tokens behind padding, babble has no padding, labels are in range") {
  const Examples words = word_examples(600, Key(2)), babble = babble_examples(600, Key(2));
  CHECK(words.inputs.shape() == Shape{600, 12});
  CHECK(babble.inputs.shape() == Shape{600, 24});
  for (int64_t i = 0; i < 600; ++i) {
    const auto word = words.inputs.data<float>().subspan(static_cast<size_t>(i) * 12, 12);
    CHECK(word.back() > 0);
    CHECK(std::is_partitioned(word.begin(), word.end(), [](float t) { return t == 0; }));
    CHECK(words.labels[static_cast<size_t>(i)] == i % 6);
  }
  for (const Examples* e : {&words, &babble})
    for (float token : e->inputs.data<float>()) CHECK((token >= 0 && token <= 26));
  for (int32_t label : babble.labels) CHECK((label >= 0 && label <= 13));
  CHECK(tongue_names().size() == 6);
  CHECK(word_alphabet().size() == 27);
  CHECK(babble_alphabet().size() == babble_classes().size());
}

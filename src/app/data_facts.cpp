// Counting what is in a data set.
#include "lptrain/app/data_facts.h"

#include <algorithm>

#include "lptrain/app/console.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr size_t kNamesShown = 12;

SplitFacts facts_of(const Subset& split, size_t classes) {
  SplitFacts facts{split.size(), std::vector<int64_t>(classes)};
  for (int64_t i = 0; i < split.size(); ++i) ++facts.per_class[static_cast<size_t>(split.label(i))];
  return facts;
}

std::string shortened(const std::vector<std::string>& names) {
  const std::span<const std::string> shown = std::span(names).first(std::min(names.size(), kNamesShown));
  return join(shown) + (names.size() > kNamesShown ? fmt::format(" ... ({})", names.size()) : "");
}

}  // namespace

void SplitFacts::fields(Fields& f) {
  f("examples", examples, "number");
  f("per_class", per_class, "number, in the order of the classes");
}

void DataFacts::fields(Fields& f) {
  f("status", status, "finished");
  f("name", name, "of the data set");
  f("title", title, "one line");
  f("source", source, "where it comes from");
  f("licence", licence, "terms of use");
  f("shape", shape, "of one example");
  f("classes", classes, "names");
  f("train", train, "split");
  f("validation", validation, "split, drawn from train");
  f("test", test, "split");
  f("bytes", bytes, "in memory");
  f("digest", digest, "sha256 over what was read");
}

std::string DataFacts::text() const {
  Cells cells{{"class", "train", "validation", "test"}};
  for (size_t c = 0; c < std::min(classes.size(), kNamesShown); ++c)
    cells.push_back({classes[c], fmt::format("{}", train.per_class[c]), fmt::format("{}", validation.per_class[c]),
                     fmt::format("{}", test.per_class[c])});
  cells.push_back(
      {"all", fmt::format("{}", train.examples), fmt::format("{}", validation.examples), fmt::format("{}", test.examples)});
  return fmt::format("{}: {}\nsource   {}\nlicence  {}\nshape    {}, {} in memory\nclasses  {}\n\n{}", name, title, source,
                     licence, shape, human_bytes(bytes), shortened(classes), table_text(cells));
}

DataFacts facts_of(const Dataset& data) {
  DataFacts f;
  f.name = data.name;
  f.title = data.card.title;
  f.source = data.card.source;
  f.licence = data.card.licence;
  f.shape = data.shape.text();
  f.digest = data.digest;
  f.classes = data.classes;
  f.train = facts_of(data.train, data.classes.size());
  f.validation = facts_of(data.validation, data.classes.size());
  f.test = facts_of(data.test, data.classes.size());
  f.bytes = data.train.examples->inputs.bytes();
  if (data.test.examples != data.train.examples) f.bytes += data.test.examples->inputs.bytes();
  return f;
}

}  // namespace lp

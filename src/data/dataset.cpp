// From a spec to splits.
#include "lptrain/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "lptrain/base/document.h"
#include "lptrain/base/files.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/text.h"
#include "lptrain/data/card_files.h"
#include "lptrain/data/image.h"
#include "lptrain/data/permutation.h"

namespace lp {
namespace {

void check_split(const Examples& examples, const Card& card, size_t classes, std::string_view split) {
  if (examples.size() == 0) fail(ErrorKind::data, "{}: the {} split holds no examples", card.name, split);
  for (size_t i = 0; i < examples.labels.size(); ++i)
    if (examples.labels[i] < 0 || static_cast<size_t>(examples.labels[i]) >= classes)
      fail(ErrorKind::data, "{}: example {} of the {} split has label {}, but there are {} classes", card.name, i, split,
           examples.labels[i], classes);
  const Shape found = examples.inputs.shape().dropped_front(1);
  if (found.size() == 0)
    fail(ErrorKind::data, "{}: examples of the {} split are {}: nothing in them", card.name, split, found.text());
  if (!card.shape.empty() && !(found == Shape(card.shape)))
    fail(ErrorKind::data, "{}: examples of the {} split are {}, but the card says {}", card.name, split, found.text(),
         Shape(card.shape).text());
}

// The card's class names if it has any, else the files', else numbers.
std::vector<std::string> class_names(const Card& card, const Decoded& decoded) {
  if (!card.classes.empty()) {
    if (!decoded.classes.empty() && decoded.classes.size() != card.classes.size())
      fail(ErrorKind::data, "{}: the files have {} classes ({}), but the card lists {}", card.name, decoded.classes.size(),
           join(decoded.classes), card.classes.size());
    return card.classes;
  }
  if (!decoded.classes.empty()) return decoded.classes;
  std::vector<std::string> numbers;
  const int32_t most = std::ranges::max(decoded.train.labels);
  for (int32_t i = 0; i <= most; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

// There is something to tell apart; and where folders or tables name the classes, none is left out of the test that they bring.
void check_classes(const Dataset& set, const Decoded& decoded) {
  if (set.classes.size() < 2)
    fail(ErrorKind::data,
         "{}: all {} training examples are of one class, \"{}\": there is nothing to tell apart; add another class", set.name,
         decoded.train.size(), set.classes.at(0));
  const bool names_classes = !decoded.classes.empty() && decoded.alphabet.empty();
  if (!names_classes || decoded.test.size() == 0) return;
  std::vector<std::string> missing;
  for (size_t c = 0; c < set.classes.size(); ++c)
    if (std::ranges::find(decoded.test.labels, static_cast<int32_t>(c)) == decoded.test.labels.end())
      missing.push_back(set.classes[c]);
  if (!missing.empty())
    fail(ErrorKind::data,
         "{}: the test split has no example of {} \"{}\"; add some, or take the test split away to have one drawn from the "
         "training examples",
         set.name, missing.size() == 1 ? "class" : "classes", join(missing, "\", \""));
}

void resize_all(Examples& examples, const std::vector<int64_t>& size) {
  if (!examples.inputs || size.empty()) return;
  const Shape s = examples.inputs.shape();
  require(examples.are_images(), "\"resize\" wants pictures, these examples are {}", s.dropped_front(1).text());
  if (s[1] == size[0] && s[2] == size[1]) return;
  Tensor resized({s[0], size[0], size[1], s[3]}, DType::u8);
  const size_t from = static_cast<size_t>(s.after(0)), to = static_cast<size_t>(resized.shape().after(0));
  const std::span<const uint8_t> x = std::as_const(examples.inputs).data<uint8_t>();
  const std::span<uint8_t> y = resized.data<uint8_t>();
  parallel_for(s[0], 64, [&](int64_t i) {
    const auto part = x.subspan(static_cast<size_t>(i) * from, from);
    const Image image{static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3]), {part.begin(), part.end()}};
    std::ranges::copy(resize(image, static_cast<int>(size[0]), static_cast<int>(size[1])).pixels,
                      y.begin() + i * static_cast<int64_t>(to));
  });
  examples.inputs = resized;
}

// Missing numbers become the mean of their column over the training rows.
void fill_missing(Examples& examples, const std::vector<double>& means) {
  if (!examples.inputs || examples.are_images()) return;
  const std::span<float> x = examples.inputs.data<float>();
  for (size_t i = 0; i < x.size(); ++i)
    if (std::isnan(x[i])) x[i] = static_cast<float>(means[i % means.size()]);
}

std::vector<int64_t> sorted(std::vector<int64_t> rows) {
  std::ranges::sort(rows);
  return rows;
}

// Takes `count` of `rows` at random; the others stay. Both keep the order of the data.
std::vector<int64_t> draw(std::vector<int64_t>& rows, int64_t count, Key key) {
  std::vector<int64_t> drawn, left;
  const std::vector<int64_t> order = permutation(static_cast<int64_t>(rows.size()), key);
  for (size_t i = 0; i < rows.size(); ++i)
    (static_cast<int64_t>(i) < count ? drawn : left).push_back(rows[static_cast<size_t>(order[i])]);
  rows = sorted(std::move(left));
  return sorted(std::move(drawn));
}

// At least one example if anything is asked for, but never all of them.
int64_t share(int64_t count, double fraction) {
  const int64_t wanted = std::max<int64_t>(std::llround(static_cast<double>(count) * fraction), fraction > 0);
  return std::min(wanted, std::max<int64_t>(count - 1, 0));
}

std::vector<int64_t> all_rows(const Examples& examples) {
  std::vector<int64_t> rows(static_cast<size_t>(examples.size()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// Which rows train, validate and test: the test split never depends on the spec, validation on split_seed alone.
void split(Dataset& set, const DatasetSpec& spec, std::shared_ptr<Examples> train, std::shared_ptr<Examples> test) {
  std::vector<int64_t> rows = all_rows(*train);
  const Key key(static_cast<uint64_t>(spec.split_seed));
  if (test->size() > 0)
    set.test = {test, all_rows(*test)};
  else
    set.test = {train, draw(rows, share(train->size(), set.card.test_fraction), Key(0).with("test"))};
  set.validation = {train, draw(rows, share(static_cast<int64_t>(rows.size()), spec.validation), key.with("validation"))};
  set.train = {train, std::move(rows)};
  if (!spec.limit) return;
  for (Subset* subset : {&set.train, &set.validation, &set.test}) {
    std::vector<int64_t> all = std::move(subset->rows);
    subset->rows = draw(all, *spec.limit, key.with("limit"));
  }
}

std::string digest_of(const Card& card, const ReadLog& log) {
  std::string text = write(card, true).dump();
  for (const std::string& line : log.lines) text += line + '\n';
  return sha256(text);
}

}  // namespace

std::string Dataset::text(const Examples& examples, int64_t row) const {
  const size_t length = static_cast<size_t>(examples.inputs.shape().after(0));
  std::string line;
  for (const float token : examples.inputs.data<float>().subspan(static_cast<size_t>(row) * length, length))
    line += alphabet[static_cast<size_t>(token)];
  return line;
}

Dataset load_dataset(const DatasetSpec& spec, const DataFolders& folders) {
  Dataset set;
  set.card = card_of(spec, folders);
  set.name = set.card.name;
  const auto log = std::make_shared<ReadLog>();
  Decoded decoded = set.card.decoder->decode(open_inputs(set.card, folders, log));
  if (decoded.train.size() == 0) fail(ErrorKind::data, "{}: there are no training examples", set.name);
  set.classes = class_names(set.card, decoded);
  check_classes(set, decoded);
  set.columns = decoded.columns;
  set.alphabet = decoded.alphabet;
  check_split(decoded.train, set.card, set.classes.size(), "train");
  if (decoded.test.size() > 0) check_split(decoded.test, set.card, set.classes.size(), "test");
  resize_all(decoded.train, spec.resize);
  resize_all(decoded.test, spec.resize);
  set.shape = decoded.train.inputs.shape().dropped_front(1);
  require(spec.augment.empty() || decoded.train.are_images(), "{}: \"augment\" wants pictures, these examples are {}", set.name,
          set.shape.text());
  set.augment = spec.augment;
  const auto train = std::make_shared<Examples>(std::move(decoded.train)),
             test = std::make_shared<Examples>(std::move(decoded.test));
  split(set, spec, train, test);
  if (!train->are_images()) {
    const std::vector<double> means = measure(train->inputs, set.train.rows).mean;
    fill_missing(*train, means);
    fill_missing(*test, means);
  }
  set.normalization = normalization_of(spec.normalize, set.card, train->inputs, set.train.rows);
  set.digest = digest_of(set.card, *log);
  return set;
}

}  // namespace lp

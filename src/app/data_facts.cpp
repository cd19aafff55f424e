// Counting what is in a data set.
#include "lptrain/app/data_facts.h"

#include <algorithm>

#include "lptrain/app/console.h"
#include "lptrain/base/text.h"
#include "lptrain/data/card_files.h"

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

// The first training example of each class, on one line.
std::vector<std::string> samples_of(const Dataset& data) {
  std::vector<std::string> samples(data.classes.size());
  for (int64_t i = 0; i < data.train.size(); ++i) {
    std::string& sample = samples[static_cast<size_t>(data.train.label(i))];
    if (sample.empty()) sample = shown_text(data.text(*data.train.examples, data.train.rows[static_cast<size_t>(i)]));
  }
  return samples;
}

// What to do about files that are not all there.
std::string remedy(const Card& card, const DataFolders& folders) {
  const bool has_urls = !card.files.empty() && std::ranges::none_of(card.files, [](const CardFile& f) { return f.urls.empty(); });
  if (has_urls) return fmt::format("; type: lptrain data {} --download", card.name);
  std::vector<std::string> names;
  for (const CardFile& f : card.files) names.push_back(f.name);
  if (names.empty()) names.push_back(card.pictures.empty() ? "<split>/<class>/*" : card.pictures);
  return fmt::format("; put {} into {}", join(names), (folders.download / card.name).string());
}

}  // namespace

std::string where(const Card& card, const DataFolders& folders) {
  if (card.decoder->is_generator()) return "generated";
  if (card.files.empty()) return find_pictures(card, folders) ? "here" : "missing";
  const auto is_here = [&](const CardFile& file) { return find_file(card, file.name, folders).has_value(); };
  const auto found = std::ranges::count_if(card.files, is_here);
  return found == std::ssize(card.files) ? "here"
         : found == 0                    ? "missing"
                                         : fmt::format("{} of {} files", found, card.files.size());
}

std::string shown_text(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\t') c = ' ';
  return fmt::format("\"{}\"", text);
}

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
  f("files", files, "generated, here, or missing and what to do about it");
  f("shape", shape, "of one example");
  f("classes", classes, "names");
  f("alphabet", alphabet, "of a text: number of tokens, the \"vocabulary\" of an embedding", {0, 1e6});
  f("samples", samples, "of a text: a training example of each class");
  f("train", train, "split");
  f("validation", validation, "split, drawn from train");
  f("test", test, "split");
  f("bytes", bytes, "in memory");
  f("digest", digest, "sha256 over what was read");
}

std::string DataFacts::text() const {
  const std::string size = bytes > 0 ? fmt::format(", {} in memory", human_bytes(bytes)) : "";
  std::string text = fmt::format("{}: {}\nsource   {}\nlicence  {}\nfiles    {}\nshape    {}{}\nclasses  {}", name, title, source,
                                 licence, files, shape, size, shortened(classes));
  if (train.examples == 0) return text;
  if (alphabet > 0) text += fmt::format("\ntokens   {}: whole numbers, the \"vocabulary\" of an embedding", alphabet);
  Cells cells{{"class", "train", "validation", "test"}};
  if (!samples.empty()) cells[0].emplace_back("for example");
  for (size_t c = 0; c < std::min(classes.size(), kNamesShown); ++c) {
    cells.push_back({classes[c], fmt::format("{}", train.per_class[c]), fmt::format("{}", validation.per_class[c]),
                     fmt::format("{}", test.per_class[c])});
    if (!samples.empty()) cells.back().push_back(samples[c]);
  }
  cells.push_back(
      {"all", fmt::format("{}", train.examples), fmt::format("{}", validation.examples), fmt::format("{}", test.examples)});
  if (!samples.empty()) cells.back().emplace_back();
  return text += "\n\n" + table_text(cells);
}

DataFacts facts_of(const Card& card, const DataFolders& folders) {
  DataFacts f;
  f.name = card.name;
  f.title = card.title;
  f.source = card.source;
  f.licence = card.licence;
  f.files = where(card, folders);
  if (f.files != "here" && f.files != "generated") f.files += remedy(card, folders);
  if (!card.shape.empty()) f.shape = Shape(card.shape).text();
  f.classes = card.classes;
  return f;
}

DataFacts facts_of(const Dataset& data, const DataFolders& folders) {
  DataFacts f = facts_of(data.card, folders);
  f.shape = data.shape.text();
  f.digest = data.digest;
  f.classes = data.classes;
  f.alphabet = std::ssize(data.alphabet);
  if (data.are_texts()) f.samples = samples_of(data);
  f.train = facts_of(data.train, data.classes.size());
  f.validation = facts_of(data.validation, data.classes.size());
  f.test = facts_of(data.test, data.classes.size());
  f.bytes = data.train.examples->inputs.bytes();
  if (data.test.examples != data.train.examples) f.bytes += data.test.examples->inputs.bytes();
  return f;
}

}  // namespace lp

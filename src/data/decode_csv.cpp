// From CSV rows to features: which columns are numbers, which words exist, what the classes are.
#include "lptrain/data/decode_csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "lptrain/base/text.h"
#include "lptrain/data/csv.h"

namespace lp {
namespace {

struct File {
  std::string name;
  std::vector<CsvRow> rows;
};

// One column of the file and the features made of it: none (dropped, label), one number, or one a word.
struct Column {
  enum class Kind { number, words, label, dropped };
  std::string name;
  Kind kind = Kind::number;
  std::vector<std::string> words;
  int64_t width() const { return kind == Kind::number ? 1 : kind == Kind::words ? static_cast<int64_t>(words.size()) : 0; }
};

// A number that f32 can hold.
std::optional<double> number_in(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (!is_whole || !(std::abs(value) <= std::numeric_limits<float>::max())) return std::nullopt;
  return value;
}

// Numbers ascending if all are numbers, else by bytes; each once.
std::vector<std::string> sorted_words(const std::set<std::string>& words) {
  std::vector<std::string> list(words.begin(), words.end());
  if (std::ranges::all_of(list, [](const std::string& w) { return number_in(w).has_value(); }))
    std::ranges::stable_sort(list, {}, [](const std::string& w) { return *number_in(w); });
  return list;
}

class TableDecoder {
 public:
  TableDecoder(const CsvLayout& layout, const Inputs& inputs) : layout_(layout) {
    for (const Input& input : inputs.train) train_.push_back(read(input));
    for (const Input& input : inputs.test) test_.push_back(read(input));
    if (train_.empty() || train_[0].rows.empty())
      fail(ErrorKind::data, "{}: holds no rows", train_.empty() ? "csv" : train_[0].name);
    for (size_t c = 0; c < columns_.size(); ++c) settle(c);
    for (const Column& column : columns_) {
      if (column.kind == Column::Kind::number) features_.push_back(column.name);
      if (column.kind == Column::Kind::words)
        for (const std::string& word : column.words) features_.push_back(column.name + "=" + word);
    }
    if (features_.empty()) fail(ErrorKind::data, "{}: no column is left besides the label", train_[0].name);
  }

  Decoded decode() const { return {examples(train_), examples(test_), columns_[label_].words, features_}; }

 private:
  File read(const Input& input) {
    File file{input.name, parse_csv(input.read(), input.name, layout_.delimiter.at(0))};
    if (file.rows.empty()) return file;
    if (columns_.empty()) name_columns(file);
    if (file.rows[0].fields.size() != columns_.size())
      fail(ErrorKind::data, "{}:{}: {} columns, wanted {}", file.name, file.rows[0].line, file.rows[0].fields.size(),
           columns_.size());
    if (layout_.header) file.rows.erase(file.rows.begin());
    return file;
  }

  void name_columns(const File& file) {
    const std::vector<std::string>& first = file.rows[0].fields;
    if (!layout_.columns.empty() && layout_.columns.size() != first.size())
      fail(ErrorKind::data, "{}:1: {} columns, but \"columns\" names {}", file.name, first.size(), layout_.columns.size());
    for (size_t c = 0; c < first.size(); ++c)
      columns_.push_back({!layout_.columns.empty() ? layout_.columns[c] : layout_.header ? first[c] : std::to_string(c), {}, {}});
    std::set<std::string> seen;
    for (const Column& column : columns_)
      if (!seen.insert(column.name).second) fail(ErrorKind::data, "{}:1: two columns are called \"{}\"", file.name, column.name);
    label_ = layout_.label.empty() ? columns_.size() - 1 : find(layout_.label);
    columns_[label_].kind = Column::Kind::label;
    for (const std::string& name : layout_.categorical) columns_[find(name)].kind = Column::Kind::words;
    for (const std::string& name : layout_.drop) columns_[find(name)].kind = Column::Kind::dropped;
    if (columns_[label_].kind != Column::Kind::label)
      fail(ErrorKind::usage, "csv: the label column \"{}\" is also dropped or categorical", columns_[label_].name);
  }

  size_t find(const std::string& name) const {
    std::vector<std::string> names;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].name == name || std::to_string(c) == name) return c;
      names.push_back(columns_[c].name);
    }
    fail(ErrorKind::usage, "csv: no column is called \"{}\"{}", name, suggestion(name, names));
  }

  std::string_view label_of(const CsvRow& row) const {
    std::string_view text = row.fields[label_];
    if (!layout_.label_suffix.empty() && text.ends_with(layout_.label_suffix)) text.remove_suffix(layout_.label_suffix.size());
    return text;
  }

  bool is_missing(const std::string& field) const { return field.empty() || field == layout_.missing; }

  // Is every value of column c a number? Some words among mostly numbers are a mistake, not names of a category.
  bool is_numeric(size_t c) const {
    int64_t numbers = 0, words = 0;
    std::string first;
    const CsvRow* where = nullptr;
    for (const File& file : train_)
      for (const CsvRow& row : file.rows) {
        if (is_missing(row.fields[c])) continue;
        if (number_in(row.fields[c]))
          ++numbers;
        else if (++words == 1) {
          first = fmt::format("{}:{}: column \"{}\": \"{}\"", file.name, row.line, columns_[c].name, row.fields[c]);
          where = &row;
        }
      }
    if (words > 0 && numbers > words)
      fail(ErrorKind::data,
           "{} is not a number that f32 can hold, but most values of the column are; correct it, or say {}what stands for an "
           "unknown value (\"missing\"), or that the numbers are names (\"categorical\")",
           first,
           where == &train_[0].rows[0] && !layout_.header ? "that the first line names the columns (\"header\"), or " : "");
    return words == 0;
  }

  // Decides from the training rows what column c is, and collects its words.
  void settle(size_t c) {
    Column& column = columns_[c];
    if (column.kind == Column::Kind::dropped || (column.kind == Column::Kind::number && is_numeric(c))) return;
    if (c != label_) column.kind = Column::Kind::words;
    std::set<std::string> words;
    for (const File& file : train_)
      for (const CsvRow& row : file.rows) {
        const std::string word(c == label_ ? label_of(row) : std::string_view(row.fields[c]));
        if (!is_missing(word))
          words.insert(word);
        else if (c == label_)
          fail(ErrorKind::data, "{}:{}: the label (column \"{}\") is missing", file.name, row.line, column.name);
      }
    if (words.size() > kMostWords)
      fail(ErrorKind::data,
           "{}: column \"{}\" has {} different words, more than {}; name it under \"drop\", or choose another \"label\"",
           train_[0].name, column.name, words.size(), kMostWords);
    column.words = sorted_words(words);
  }

  Examples examples(const std::vector<File>& files) const {
    int64_t count = 0;
    for (const File& file : files) count += static_cast<int64_t>(file.rows.size());
    Examples made;
    if (count == 0) return made;
    const int64_t width = static_cast<int64_t>(features_.size());
    made.inputs = Tensor::zeros({count, width});
    std::span<float> left = made.inputs.data<float>();
    for (const File& file : files)
      for (const CsvRow& row : file.rows) {
        made.labels.push_back(label_index(file, row));
        fill(file, row, left.first(static_cast<size_t>(width)));
        left = left.subspan(static_cast<size_t>(width));
      }
    return made;
  }

  int32_t label_index(const File& file, const CsvRow& row) const {
    const std::vector<std::string>& classes = columns_[label_].words;
    const auto found = std::ranges::find(classes, label_of(row));
    if (found == classes.end())
      fail(ErrorKind::data, "{}:{}: class \"{}\" does not occur in the training rows{}", file.name, row.line, label_of(row),
           suggestion(label_of(row), classes));
    return static_cast<int32_t>(found - classes.begin());
  }

  void fill(const File& file, const CsvRow& row, std::span<float> x) const {
    size_t at = 0;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = columns_[c];
      const std::string& text = row.fields[c];
      if (column.kind == Column::Kind::number) {
        const std::optional<double> value = number_in(text);
        if (!value && !is_missing(text))
          fail(ErrorKind::data, "{}:{}: column \"{}\": \"{}\" is not a finite number", file.name, row.line, column.name, text);
        x[at] = value ? static_cast<float>(*value) : std::numeric_limits<float>::quiet_NaN();
      } else if (column.kind == Column::Kind::words) {
        const auto found = std::ranges::find(column.words, text);
        if (found != column.words.end()) x[at + static_cast<size_t>(found - column.words.begin())] = 1;
      }
      at += static_cast<size_t>(column.width());
    }
  }

  const CsvLayout& layout_;
  std::vector<Column> columns_;
  std::vector<std::string> features_;
  std::vector<File> train_, test_;
  size_t label_ = 0;
};

// Columns that are pixels: values 0..white to bytes.
void to_images(Examples& examples, const CsvLayout& layout) {
  if (!examples.inputs) return;
  const int64_t count = examples.size(), pixels = layout.image[0] * layout.image[1] * layout.image[2];
  if (examples.inputs.shape()[1] != pixels)
    fail(ErrorKind::data, "csv: \"image\" {} needs {} columns, found {}", Shape(layout.image).text(), pixels,
         examples.inputs.shape()[1]);
  Tensor bytes({count, layout.image[0], layout.image[1], layout.image[2]}, DType::u8);
  std::ranges::transform(examples.inputs.data<float>(), bytes.data<uint8_t>().begin(), [&](float v) {
    const double level = std::isnan(v) ? 0 : v / layout.white;
    return static_cast<uint8_t>(std::floor(std::clamp(level, 0.0, 1.0) * 255 + 0.5));
  });
  examples.inputs = bytes;
}

}  // namespace

void CsvLayout::fields(Fields& f) {
  f("label", label, "label column: its name, or its number from 0; by default the last one");
  f("header", header, "the first line names the columns");
  f("delimiter", delimiter, "one character between fields");
  f("missing", missing, "text that stands for an unknown value");
  f("columns", columns, "names of the columns, if there is no header");
  f("drop", drop, "columns to leave out");
  f("categorical", categorical, "columns whose numbers are names, not quantities");
  f("label_suffix", label_suffix, "text to cut off the end of labels");
  f("image", image, "[height, width, channels] if the columns are pixels", {0, 3});
  f("white", white, "pixel value of white");
  f.claim(delimiter.size() == 1, "\"delimiter\" must be one character");
  f.claim(image.empty() || (image.size() == 3 && std::ranges::all_of(image, [](int64_t n) { return n >= 1 && n <= 4096; })),
          "\"image\" wants [height, width, channels], each 1 to 4096");
  f.claim(white > 0, "\"white\" must be above 0");
}

Decoded decode_csv(const CsvLayout& layout, const Inputs& inputs) {
  Decoded decoded = TableDecoder(layout, inputs).decode();
  if (layout.image.empty()) return decoded;
  to_images(decoded.train, layout);
  to_images(decoded.test, layout);
  decoded.columns.clear();
  return decoded;
}

}  // namespace lp

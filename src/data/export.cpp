// Writing data sets as image folders or CSV.
#include "lptrain/data/export.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "lptrain/data/csv.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

// Without a sync a file: the whole folder is renamed into place at the end.
void write_plain(const fs::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) fail(ErrorKind::failure, "{}: {}", file.string(), std::strerror(errno));
}

// A class's name as a folder: everything but letters, digits, '-', '_', '.' and spaces becomes '_'.
std::string folder_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string_view("-_. <>=").find(c) == std::string_view::npos) c = '_';
  if (name.empty() || name[0] == '.') name.insert(name.begin(), '_');
  return name;
}

struct SplitRows {
  const char* name;
  const Examples* examples;
  std::vector<int64_t> rows;
};

void write_pictures(const Dataset& set, const SplitRows& split, const fs::path& folder) {
  const Shape s = split.examples->inputs.shape();
  const size_t width = static_cast<size_t>(s.after(0));
  const std::span<const uint8_t> pixels = std::as_const(split.examples->inputs).data<uint8_t>();
  for (const std::string& name : set.classes) fs::create_directories(folder / split.name / folder_name(name));
  for (int64_t row : split.rows) {
    const auto part = pixels.subspan(static_cast<size_t>(row) * width, width);
    const Image image{static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3]), {part.begin(), part.end()}};
    const std::string& name = set.classes[static_cast<size_t>(split.examples->labels[static_cast<size_t>(row)])];
    write_plain(folder / split.name / folder_name(name) / fmt::format("{:06}.png", row), encode_png(image));
  }
}

// The columns of a table; of a sequence, those of one step after the other.
std::vector<std::string> columns_of(const Dataset& set) {
  if (!set.columns.empty()) return set.columns;
  std::vector<std::string> columns;
  for (int64_t i = 0; i < set.shape.size(); ++i)
    columns.push_back(fmt::format("step{}.{}", i / set.shape.back() + 1, i % set.shape.back() + 1));
  return columns;
}

std::string numbers_of(const Examples& examples, int64_t row) {
  const size_t width = static_cast<size_t>(examples.inputs.shape().after(0));
  std::string text;
  for (float v : examples.inputs.data<float>().subspan(static_cast<size_t>(row) * width, width)) text += fmt::format("{},", v);
  return text;
}

void write_table(const Dataset& set, const SplitRows& split, const fs::path& folder) {
  std::string text;
  for (const std::string& column : set.are_texts() ? std::vector<std::string>{"text"} : columns_of(set))
    text += csv_field(column) + ",";
  text += "class\n";
  for (int64_t row : split.rows) {
    text += set.are_texts() ? csv_field(set.text(*split.examples, row)) + "," : numbers_of(*split.examples, row);
    text += csv_field(set.classes[static_cast<size_t>(split.examples->labels[static_cast<size_t>(row)])]) + "\n";
  }
  write_plain(folder / fmt::format("{}.csv", split.name), text);
}

}  // namespace

void export_dataset(const Dataset& set, const fs::path& folder) {
  std::error_code error;
  require(!fs::exists(folder, error) || (fs::is_directory(folder, error) && fs::is_empty(folder, error)),
          "{} exists and is not empty; name a new folder to export to", folder.string());
  SplitRows train{"train", set.train.examples.get(), set.train.rows};
  train.rows.insert(train.rows.end(), set.validation.rows.begin(), set.validation.rows.end());
  std::ranges::sort(train.rows);
  const SplitRows test{"test", set.test.examples.get(), set.test.rows};
  fs::path partial = folder.lexically_normal();
  if (partial.filename().empty()) partial = partial.parent_path();
  const fs::path whole = partial;
  partial += ".partial";
  fs::remove_all(partial, error);
  fs::create_directories(partial, error);
  if (error) fail(ErrorKind::failure, "{}: {}", partial.string(), error.message());
  try {
    for (const SplitRows& split : {train, test}) (set.are_images() ? write_pictures : write_table)(set, split, partial);
  } catch (const std::exception&) {
    fs::remove_all(partial, error);
    throw;
  }
  fs::rename(partial, whole, error);
  if (error) fail(ErrorKind::failure, "{}: {}", whole.string(), error.message());
}

}  // namespace lp

// From bytes to characters to tokens.
#include "lptrain/data/decode_text.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr size_t kMostCharacters = 4096;  // in an alphabet
constexpr int64_t kMostNumbers = int64_t{1} << 31;

// Bytes of the character that begins at `at`; 0 if they are no UTF-8 (RFC 3629: no surrogates, nothing longer than needed).
size_t character_bytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : uint8_t{0}; };
  const auto follows = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xbf) { return byte(i) >= low && byte(i) <= high; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  const uint8_t least = first == 0xe0   ? 0xa0
                        : first == 0xf0 ? 0x90
                                        : 0x80,
                most = first == 0xed   ? 0x9f
                       : first == 0xf4 ? 0x8f
                                       : 0xbf;
  if (first >= 0xe0 && first <= 0xef) return follows(1, least, most) && follows(2) ? 3 : 0;
  if (first >= 0xf0 && first <= 0xf4) return follows(1, least, most) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

bool is_control(char c) { return (static_cast<uint8_t>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }

// Tokens by character.
class Alphabet {
 public:
  Alphabet(const std::set<std::string>& characters, bool has_padding, std::string_view file) {
    if (characters.size() > kMostCharacters)
      fail(ErrorKind::data, "{}: {} different characters, at most {} are read; is it text?", file, characters.size(),
           kMostCharacters);
    if (has_padding) list_.emplace_back();
    for (const std::string& c : characters) {
      tokens_[c] = static_cast<int32_t>(list_.size());
      list_.push_back(c);
    }
  }
  const std::vector<std::string>& list() const { return list_; }
  std::vector<int32_t> tokens(const std::vector<std::string>& characters, const std::string& place) const {
    std::vector<int32_t> tokens;
    for (const std::string& c : characters) {
      const auto found = tokens_.find(c);
      if (found == tokens_.end()) fail(ErrorKind::data, "{}: the character \"{}\" does not occur in the training text", place, c);
      tokens.push_back(found->second);
    }
    return tokens;
  }

 private:
  std::vector<std::string> list_;
  std::map<std::string, int32_t> tokens_;
};

struct Line {
  std::string place;  // FILE:LINE
  std::vector<std::string> characters;
  int32_t label;
};

std::string class_of(const Input& file) { return std::filesystem::path(file.name).stem().string(); }

std::vector<Line> lines_of(const Input& file, int32_t label, int64_t length) {
  std::vector<Line> lines;
  int64_t number = 1;
  Line line{fmt::format("{}:{}", file.name, number), {}, label};
  const auto finish = [&] {
    if (std::ssize(line.characters) > length)
      fail(ErrorKind::data, "{}: {} characters, wanted at most {}; a larger \"length\" of the card's decoder admits them",
           line.place, line.characters.size(), length);
    if (!line.characters.empty()) lines.push_back(line);
    line = {fmt::format("{}:{}", file.name, ++number), {}, label};
  };
  for (std::string& c : characters_of(file.read(), file.name))
    if (c == "\n")
      finish();
    else
      line.characters.push_back(std::move(c));
  finish();
  if (lines.empty()) fail(ErrorKind::data, "{}: holds no line of text", file.name);
  return lines;
}

std::vector<Line> lines_of(const std::vector<Input>& files, const std::vector<std::string>& classes, int64_t length) {
  std::vector<Line> all;
  for (const Input& file : files) {
    const auto found = std::ranges::lower_bound(classes, class_of(file));
    if (found == classes.end() || *found != class_of(file))
      fail(ErrorKind::data, "{}: class \"{}\" has no training file{}", file.name, class_of(file),
           suggestion(class_of(file), classes));
    std::ranges::move(lines_of(file, static_cast<int32_t>(found - classes.begin()), length), std::back_inserter(all));
  }
  return all;
}

Examples examples_of(const std::vector<Line>& lines, const Alphabet& alphabet, int64_t length) {
  if (lines.empty()) return {};
  TextRows rows(std::ssize(lines), length);
  std::vector<int32_t> labels;
  for (const Line& line : lines) {
    rows.add(alphabet.tokens(line.characters, line.place));
    labels.push_back(line.label);
  }
  return {rows.inputs, labels};
}

std::vector<std::string> read_all(const std::vector<Input>& files) {
  std::vector<std::string> all;
  for (const Input& file : files) std::ranges::move(characters_of(file.read(), file.name), std::back_inserter(all));
  return all;
}

// Windows of text[begin, end) with the character behind each.
Examples windows_of(const std::vector<int32_t>& text, size_t begin, size_t end, const WindowsLayout& layout,
                    const std::string& split) {
  const size_t length = static_cast<size_t>(layout.length),
               stride = layout.stride > 0 ? static_cast<size_t>(layout.stride) : length + 1;
  if (end - begin <= length)
    fail(ErrorKind::data, "the {} text has {} characters; a window of {} and the character behind it want at least {}", split,
         end - begin, length, length + 1);
  const size_t count = (end - begin - length - 1) / stride + 1;
  if (static_cast<int64_t>(count) > kMostNumbers / layout.length)
    fail(ErrorKind::data, "the {} text gives {} windows of {}: too many; a larger \"stride\" helps", split, count, length);
  TextRows rows(static_cast<int64_t>(count), layout.length);
  std::vector<int32_t> labels;
  for (size_t at = begin; at + length < end; at += stride) {
    const auto first = text.begin() + static_cast<std::ptrdiff_t>(at);
    rows.add({first, first + layout.length});
    labels.push_back(text[at + length]);
  }
  return {rows.inputs, labels};
}

std::string class_name(const std::string& character) {
  if (character == "\n") return "newline";
  if (character == "\t") return "tab";
  return character == " " ? "space" : character;
}

}  // namespace

std::vector<std::string> characters_of(std::string_view text, std::string_view file) {
  std::vector<std::string> characters;
  int64_t line = 1;
  for (size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0; at < text.size();) {
    const size_t bytes = character_bytes(text, at);
    if (bytes == 0)
      fail(ErrorKind::data, "{}:{}: byte {:#04x} is no UTF-8; save the file as UTF-8", file, line,
           static_cast<uint8_t>(text[at]));
    if (text[at] != '\r') {
      if (is_control(text[at]))
        fail(ErrorKind::data, "{}:{}: found the control character {:#04x}; is it text?", file, line,
             static_cast<uint8_t>(text[at]));
      characters.emplace_back(text.substr(at, bytes));
    }
    line += text[at] == '\n';
    at += bytes;
  }
  return characters;
}

void TextRows::add(const std::vector<int32_t>& tokens) {
  const int64_t length = inputs.shape()[1];
  float* row = inputs.data<float>().data() + count++ * length;
  std::ranges::transform(tokens, row + length - std::ssize(tokens), [](int32_t token) { return static_cast<float>(token); });
}

void LinesLayout::fields(Fields& f) {
  f("length", length, "most characters of a line; shorter ones stand behind padding", {1, 10000});
}

Decoded decode_lines(const LinesLayout& layout, const Inputs& inputs) {
  if (inputs.train.empty()) fail(ErrorKind::data, "lines: there are no training files; wanted one a class");
  std::set<std::string> names, characters;
  for (const Input& file : inputs.train) names.insert(class_of(file));
  const std::vector<std::string> classes(names.begin(), names.end());
  const std::vector<Line> train = lines_of(inputs.train, classes, layout.length),
                          test = lines_of(inputs.test, classes, layout.length);
  for (const Line& line : train) characters.insert(line.characters.begin(), line.characters.end());
  const Alphabet alphabet(characters, true, inputs.train[0].name);
  return {examples_of(train, alphabet, layout.length), examples_of(test, alphabet, layout.length), classes, {}, alphabet.list()};
}

void WindowsLayout::fields(Fields& f) {
  f("length", length, "characters of a window", {1, 10000});
  f("stride", stride, "from one window to the next; 0: length + 1, so that no character is in two examples", {0, 1e9});
  f("test", test, "share of the text, its end, that test windows are cut from, if there is no test file", {0.001, 0.9});
}

Decoded decode_windows(const WindowsLayout& layout, const Inputs& inputs) {
  if (inputs.train.empty()) fail(ErrorKind::data, "windows: there is no training file");
  const std::vector<std::string> text = read_all(inputs.train), behind = read_all(inputs.test);
  const Alphabet alphabet({text.begin(), text.end()}, false, inputs.train[0].name);
  const std::vector<int32_t> tokens = alphabet.tokens(text, inputs.train[0].name);
  std::vector<std::string> classes;
  for (const std::string& c : alphabet.list()) classes.push_back(class_name(c));
  const size_t all = tokens.size(),
               end = behind.empty() ? all - static_cast<size_t>(static_cast<double>(all) * layout.test) : all;
  Examples train = windows_of(tokens, 0, end, layout, "training"), test;
  if (behind.empty())
    test = windows_of(tokens, end, all, layout, "test");
  else
    test = windows_of(alphabet.tokens(behind, inputs.test[0].name), 0, behind.size(), layout, "test");
  return {std::move(train), std::move(test), classes, {}, alphabet.list()};
}

}  // namespace lp

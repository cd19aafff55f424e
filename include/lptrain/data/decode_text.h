// Text to tokens: lines that belong to classes, or windows of a running text and the character behind each.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/data/examples.h"

namespace lp {

// The characters of UTF-8 text, each as its bytes. Bytes that are no UTF-8, and control characters but line feed and tab, are
// Error(data) "FILE:LINE: ...". Carriage returns and a byte order mark are left out.
std::vector<std::string> characters_of(std::string_view text, std::string_view file);

// Tokens f32 [N,length] of `characters` (counted from 0 in the alphabet), one row an example; what is shorter stands at the end
// of its row, behind tokens 0.
struct TextRows {
  Tensor inputs;
  int64_t count = 0;
  TextRows(int64_t examples, int64_t length) : inputs(Tensor::zeros(Shape{examples, length})) {}
  void add(const std::vector<int32_t>& tokens);
};

// Every line of a file is an example, the file's name (without its ending) its class. Token 0 is padding, the others count the
// characters of the training files, sorted.
struct LinesLayout {
  int64_t length = 20;  // most characters of a line
  void fields(Fields& f);
};
// Classes are sorted by name. Files without lines, lines that are too long, characters and classes that only the test files have
// are Error(data) "FILE:LINE: ...".
Decoded decode_lines(const LinesLayout& layout, const Inputs& inputs);

// Windows of the training files, one behind the other as one text; the label is the character behind the window. Tokens and
// labels count the same characters, sorted.
struct WindowsLayout {
  int64_t length = 32;
  int64_t stride = 0;  // from one window to the next; 0: length + 1, so that no character is in two examples
  double test = 0.1;   // share of the text, its end, that the test windows are cut from, if there is no test file
  void fields(Fields& f);
};
Decoded decode_windows(const WindowsLayout& layout, const Inputs& inputs);

}  // namespace lp

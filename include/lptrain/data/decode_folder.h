// Folders of pictures: <split>/<class>/<any name>.png|jpg.
#pragma once
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/data/examples.h"

namespace lp {

struct ImageLayout {
  std::vector<int64_t> size;  // [height, width]; empty: that of the first picture
  int channels = 1;           // 1 grey, 3 colour

  void fields(Fields& f);
};

// The class of a picture is the folder it lies in; classes are sorted by name over both splits, pictures stay in the order given.
// A class that only the test split has, or a picture outside any folder, is Error(data).
Decoded decode_folder(const ImageLayout& layout, const Inputs& inputs);

// The pictures under `folder`, sorted; names are relative to it. Hidden files and other endings are passed over.
std::vector<std::string> pictures_in(const std::string& folder);

}  // namespace lp

// Image folders to one tensor of bytes a split.
#include "lptrain/data/decode_folder.h"

#include <algorithm>
#include <filesystem>

#include "lptrain/base/text.h"
#include "lptrain/data/image.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

std::string class_of(const Input& picture) {
  const std::string name = fs::path(picture.name).parent_path().filename().string();
  if (name.empty()) fail(ErrorKind::data, "{}: lies in no folder; wanted <split>/<class>/<picture>", picture.name);
  return name;
}

std::vector<std::string> classes_of(const Inputs& inputs) {
  std::vector<std::string> classes;
  for (const Input& picture : inputs.train) classes.push_back(class_of(picture));
  std::ranges::sort(classes);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

struct PictureReader {
  int height, width, channels;
  std::vector<std::string> classes;

  int32_t label(const Input& picture) const {
    const std::string name = class_of(picture);
    const auto found = std::ranges::lower_bound(classes, name);
    if (found == classes.end() || *found != name)
      fail(ErrorKind::data, "{}: class \"{}\" has no training pictures{}", picture.name, name, suggestion(name, classes));
    return static_cast<int32_t>(found - classes.begin());
  }

  Examples decode(const std::vector<Input>& pictures) const {
    Examples examples;
    if (pictures.empty()) return examples;
    examples.inputs = Tensor({static_cast<int64_t>(pictures.size()), height, width, channels}, DType::u8);
    auto to = examples.inputs.data<uint8_t>().begin();
    for (const Input& picture : pictures) {
      examples.labels.push_back(label(picture));
      const Image image = resize(decode_image(picture.read(), picture.name, channels), height, width);
      to = std::ranges::copy(image.pixels, to).out;
    }
    return examples;
  }
};

}  // namespace

void ImageLayout::fields(Fields& f) {
  f("size", size, "[height, width] to resize to; by default that of the first picture", {0, 2});
  f("channels", channels, "1 grey or 3 colour", {1, 3});
  f.claim(channels != 2, "\"channels\" is 1 or 3");
  f.claim(size.empty() || (size.size() == 2 && std::ranges::all_of(size, [](int64_t n) { return n >= 1 && n <= kMostPixels; })),
          fmt::format("\"size\" wants [height, width], each 1 to {}", kMostPixels));
}

Decoded decode_folder(const ImageLayout& layout, const Inputs& inputs) {
  if (inputs.train.empty())
    fail(ErrorKind::data, "the image folder holds no training pictures; wanted <split>/<class>/*.png or *.jpg");
  PictureReader decoder{0, 0, layout.channels, classes_of(inputs)};
  if (layout.size.empty()) {
    const Image first = decode_image(inputs.train[0].read(), inputs.train[0].name, layout.channels);
    decoder.height = first.height;
    decoder.width = first.width;
  } else {
    decoder.height = static_cast<int>(layout.size[0]);
    decoder.width = static_cast<int>(layout.size[1]);
  }
  return {decoder.decode(inputs.train), decoder.decode(inputs.test), decoder.classes, {}};
}

std::vector<std::string> pictures_in(const std::string& folder) {
  static const std::vector<std::string> kEndings = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"};
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.filename().string().starts_with('.') || std::ranges::find(kEndings, path.extension().string()) == kEndings.end())
      continue;
    names.push_back(path.lexically_relative(folder).string());
  }
  if (error) fail(ErrorKind::data, "{}: {}", folder, error.message());
  std::ranges::sort(names);
  return names;
}

}  // namespace lp

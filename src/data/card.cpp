// Reading and finding cards.
#include "lptrain/data/card.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "lptrain/base/document.h"
#include "lptrain/base/places.h"
#include "lptrain/base/text.h"

namespace lp {

namespace fs = std::filesystem;

void Sum::fields(Fields& f) {
  f("sha256", sha256, "sha256 of the uncompressed content, 64 hexadecimal digits");
  f("what", what, "what that content is");
  f("verified", verified, "false: quoted from elsewhere, never computed from the file");
  f.claim(sha256.size() == 64 && sha256.find_first_not_of("0123456789abcdef") == std::string::npos,
          "\"sha256\" wants 64 hexadecimal digits in lower case");
}

void CardFile::fields(Fields& f) {
  f("name", name, "name in the data set's folder, without .gz");
  f("split", split, "which examples it holds");
  f("bytes", bytes, "uncompressed size; 0: not known", {0, 1e12});
  f("urls", urls, "where to download it, tried in order; plain, .gz, or a .tar.gz that holds it");
  f("member", member, "its path inside the .tar.gz");
  f("sums", sums, "accepted contents");
  f.claim(!name.empty() && !name.starts_with('/') && name.find("..") == std::string::npos,
          "\"name\" wants a path inside the data set's folder");
}

void Card::fields(Fields& f) {
  f("title", title, "one line");
  f("source", source, "who made it and where it is published");
  f("licence", licence, "terms of use");
  f("notes", notes, "measured values, known defects");
  f("decoder", decoder, "how the files are read, or which generator makes the examples");
  f("files", files, "the files of each split, in order");
  f("pictures", pictures, "for image folders: the subfolder that holds <split>/<class>/*");
  f("shape", shape, "shape of one example: [height, width, channels] or [columns]", {0, 3});
  f("classes", classes, "names of the labels, in order");
  f("mean", mean, "per channel, of inputs in [0, 1]");
  f("std", std, "per channel, of inputs in [0, 1]");
  f("normalize", normalize, "how raw values become network inputs, unless a config says otherwise");
  f("test_fraction", test_fraction, "share of the examples drawn as the test split, if no file holds one", {0.01, 0.9});
  f.claim(static_cast<bool>(decoder), "\"decoder\" is missing");
  f.claim(normalize != Normalize::card, "\"normalize\" of a card cannot be \"card\"");
  f.claim(mean.size() == std.size(), "\"mean\" and \"std\" want as many values as there are channels");
  f.claim(std::ranges::all_of(std, [](double v) { return v > 0; }), "every \"std\" must be above 0");
}

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

DataFolders data_folders(const std::string& option) {
  DataFolders folders;
  const std::string variable = environment("LPTRAIN_DATA"), xdg = environment("XDG_CACHE_HOME"), home = environment("HOME");
  const fs::path cache = (xdg.empty() ? fs::path(home.empty() ? "." : home) / ".cache" : fs::path(xdg)) / "lptrain";
  if (!option.empty()) folders.search.emplace_back(option);
  if (!variable.empty()) folders.search.emplace_back(variable);
  folders.download = folders.search.empty() ? cache : folders.search[0];
  for (const fs::path& folder : places("datasets")) {
    folders.search.push_back(folder);
    if (folder == "datasets") folders.search.push_back(cache);
  }
  return folders;
}

Card read_card(const fs::path& file) {
  Card card;
  card.name = file.stem().string();
  read(Document::load(file), card);
  return card;
}

Card load_card(const std::string& name, const DataFolders& folders) {
  std::error_code error;
  const bool is_plain = name.find('/') == std::string::npos;
  for (const fs::path& folder : folders.search)
    if (is_plain && fs::is_regular_file(folder / (name + ".json"), error)) return read_card(folder / (name + ".json"));
  std::vector<std::string> looked;
  for (const fs::path& folder : folders.search) looked.push_back(folder.string());
  fail(ErrorKind::usage, "no data set is called \"{}\"{} (cards are looked for in {})", name,
       suggestion(name, card_names(folders)), join(looked));
}

std::vector<std::string> card_names(const DataFolders& folders) {
  std::set<std::string> names;
  std::error_code error;
  for (const fs::path& folder : folders.search)
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      if (it->path().extension() == ".json") names.insert(it->path().stem().string());
  return {names.begin(), names.end()};
}

}  // namespace lp

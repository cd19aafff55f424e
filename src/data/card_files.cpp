// Finding, unpacking and checking a data set's files.
#include "lptrain/data/card_files.h"

#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/data/bytes.h"
#include "lptrain/data/decode_folder.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMostUnpacked = int64_t{1} << 33, kMostPicture = int64_t{1} << 26;

std::vector<fs::path> homes_of(const Card& card, const DataFolders& folders) {
  if (!card.folder.empty()) return {card.folder};
  std::vector<fs::path> homes;
  for (const fs::path& folder : folders.search) homes.push_back(folder / card.name);
  return homes;
}

[[noreturn]] void fail_missing(const Card& card, const std::string& what, const DataFolders& folders) {
  std::vector<std::string> looked;
  for (const fs::path& home : homes_of(card, folders)) looked.push_back(home.string());
  bool can_download = !card.files.empty();
  for (const CardFile& file : card.files) can_download = can_download && !file.urls.empty();
  const std::string remedy =
      can_download ? fmt::format("type: lptrain data {} --download", card.name)
                   : fmt::format("put it into one of them{}", card.source.empty() ? "" : "; it comes from " + card.source);
  fail(ErrorKind::data, "{}: {} is missing; looked in {}; {}", card.name, what, join(looked), remedy);
}

Input input_of(const Card& card, const CardFile& file, const fs::path& path, std::shared_ptr<ReadLog> log) {
  return {path.string(), [card, file, path, log] {
            Content content = read_content(card, file, path);
            log->lines.push_back(content.sha256 + "  " + file.name);
            return std::move(content.bytes);
          }};
}

// Pictures of one split; names are relative to `root`.
void add_pictures(std::vector<Input>& inputs, const fs::path& root, const std::string& below,
                  const std::shared_ptr<ReadLog>& log) {
  if (!fs::is_directory(root / below)) return;
  for (const std::string& picture : pictures_in((root / below).string())) {
    const std::string name = (fs::path(below) / picture).string();
    inputs.push_back({(root / name).string(), [file = root / name, name, log] {
                        std::string bytes = read_file(file, kMostPicture);
                        log->lines.push_back(sha256(bytes) + "  " + name);
                        return bytes;
                      }});
  }
}

Inputs open_pictures(const fs::path& root, const std::shared_ptr<ReadLog>& log) {
  Inputs inputs;
  if (fs::is_directory(root / "train")) {
    add_pictures(inputs.train, root, "train", log);
    add_pictures(inputs.test, root, "test", log);
  } else if (fs::is_directory(root / "test")) {
    fail(ErrorKind::data, "{}: there is a folder \"test\", but none called \"train\"; wanted {}/train/<class>/*.png or *.jpg",
         root.string(), root.string());
  } else {
    add_pictures(inputs.train, root, "", log);
  }
  return inputs;
}

}  // namespace

std::optional<fs::path> find_file(const Card& card, const std::string& name, const DataFolders& folders) {
  std::error_code error;
  for (const fs::path& home : homes_of(card, folders))
    for (const char* ending : {"", ".gz"})
      if (const fs::path path = home / (name + ending); fs::is_regular_file(path, error)) return path;
  return std::nullopt;
}

std::optional<fs::path> find_pictures(const Card& card, const DataFolders& folders) {
  std::error_code error;
  for (const fs::path& home : homes_of(card, folders))
    if (fs::is_directory(home / card.pictures, error)) return home / card.pictures;
  return std::nullopt;
}

const Sum* accepted(const CardFile& file, const std::string& sha256) {
  for (const Sum& sum : file.sums)
    if (sum.sha256 == sha256) return &sum;
  return nullptr;
}

Content read_content(const Card& card, const CardFile& file, const fs::path& path) {
  std::string bytes = read_file(path);
  if (is_gzip(bytes)) bytes = gunzip(bytes, path.string(), file.bytes > 0 ? file.bytes : kMostUnpacked);
  const std::string remedy =
      file.urls.empty() ? "get it again" : fmt::format("delete it and type: lptrain data {} --download", card.name);
  if (file.bytes > 0 && static_cast<int64_t>(bytes.size()) != file.bytes)
    fail(ErrorKind::data, "{}: {} bytes, wanted {}; the file is cut off or another version: {}", path.string(), bytes.size(),
         file.bytes, remedy);
  const std::string found = sha256(bytes);
  if (!file.sums.empty() && !accepted(file, found))
    fail(ErrorKind::data, "{}: sha256 is {}, wanted {}{}; the file is damaged or another version: {}", path.string(), found,
         file.sums[0].sha256, file.sums.size() > 1 ? fmt::format(" (or one of {} others)", file.sums.size() - 1) : "", remedy);
  return {std::move(bytes), found};
}

std::vector<FileReport> verify_files(const Card& card, const DataFolders& folders) {
  std::vector<FileReport> reports;
  for (const CardFile& file : card.files) {
    FileReport report{file.name, {}, 0, {}, {}, FileState::missing};
    if (const auto path = find_file(card, file.name, folders)) {
      CardFile unchecked = file;
      unchecked.sums.clear();
      unchecked.bytes = 0;
      const Content content = read_content(card, unchecked, *path);
      report.path = *path;
      report.bytes = static_cast<int64_t>(content.bytes.size());
      report.sha256 = content.sha256;
      const Sum* sum = accepted(file, report.sha256);
      report.state = sum                 ? (sum->verified ? FileState::verified : FileState::quoted)
                     : file.sums.empty() ? FileState::unlisted
                                         : FileState::wrong;
      if (sum) report.what = sum->what;
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

Inputs open_inputs(const Card& card, const DataFolders& folders, std::shared_ptr<ReadLog> log) {
  if (card.decoder->is_generator()) return {};
  if (card.files.empty()) {
    const std::optional<fs::path> root = find_pictures(card, folders);
    if (!root)
      fail_missing(card, card.pictures.empty() ? "the folder of pictures" : fmt::format("the folder \"{}\"", card.pictures),
                   folders);
    return open_pictures(*root, log);
  }
  Inputs inputs;
  for (const CardFile& file : card.files) {
    const std::optional<fs::path> path = find_file(card, file.name, folders);
    if (!path) fail_missing(card, file.name, folders);
    (file.split == Part::train ? inputs.train : inputs.test).push_back(input_of(card, file, *path, log));
  }
  return inputs;
}

}  // namespace lp

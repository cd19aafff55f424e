// From a card to bytes: finding a data set's files, unpacking them, and knowing whether they are the right ones.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/data/card.h"

namespace lp {

// The file, plain or with ".gz"; none if no folder has it.
std::optional<std::filesystem::path> find_file(const Card& card, const std::string& name, const DataFolders& folders);
// The folder of an image_folder set that holds <split>/<class>/*.
std::optional<std::filesystem::path> find_pictures(const Card& card, const DataFolders& folders);

struct Content {
  std::string bytes, sha256;  // uncompressed
};
// The content of a file, its size and sum checked against the card. A wrong one is Error(data): what was found, what was wanted,
// what to type.
Content read_content(const Card& card, const CardFile& file, const std::filesystem::path& path);

// The accepted sum that `sha256` equals; none if it equals none. A file without sums has nothing to compare with.
const Sum* accepted(const CardFile& file, const std::string& sha256);

enum class FileState { missing, unlisted, verified, quoted, wrong };  // quoted: equals a sum that is not `verified`
template <>
struct Words<FileState> {
  static constexpr std::string_view list[] = {"missing", "unlisted", "verified", "quoted", "wrong"};
};
struct FileReport {
  std::string name;
  std::filesystem::path path;  // empty if missing
  int64_t bytes = 0;           // uncompressed
  std::string sha256, what;
  FileState state = FileState::missing;
};
// One report a file of the card, in order; reads everything.
std::vector<FileReport> verify_files(const Card& card, const DataFolders& folders);

// What has been read so far, for the record of a run: one "<sha256>  <name>" a file.
struct ReadLog {
  std::vector<std::string> lines;
};

// The inputs of a card's decoder. A file that is nowhere is Error(data) that says what to type or where to put it.
Inputs open_inputs(const Card& card, const DataFolders& folders, std::shared_ptr<ReadLog> log);

}  // namespace lp

// Which files to get, from where, and what to do with what came.
#include "lptrain/data/download.h"

#include <algorithm>

#include "lptrain/base/files.h"
#include "lptrain/data/bytes.h"
#include "lptrain/data/card_files.h"
#include "lptrain/data/tar.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostBytes = int64_t{1} << 34;

bool is_archive(const std::string& url) { return url.ends_with(".tar.gz") || url.ends_with(".tgz"); }

// A container is never much larger than what it holds.
int64_t limit_of(const CardFile& file, const std::string& url) {
  return is_archive(url) || file.bytes == 0 ? kMostBytes : file.bytes + file.bytes / 8 + 65536;
}

bool is_there(const Card& card, const CardFile& file, const DataFolders& folders) {
  const std::optional<fs::path> path = find_file(card, file.name, folders);
  if (!path) return false;
  try {
    read_content(card, file, *path);
    return true;
  } catch (const Error&) {
    return false;  // present, but not what the card wants: get it again
  }
}

void check(const CardFile& file, const std::string& content, const std::string& url) {
  if (file.bytes > 0 && static_cast<int64_t>(content.size()) != file.bytes)
    fail(ErrorKind::data, "{}: {} has {} bytes, wanted {}; it was thrown away: the address holds another version", url, file.name,
         content.size(), file.bytes);
  if (const std::string found = sha256(content); !file.sums.empty() && !accepted(file, found))
    fail(ErrorKind::data, "{}: sha256 of {} is {}, wanted {}; it was thrown away: the address holds another version", url,
         file.name, found, file.sums[0].sha256);
}

// Puts the file into place from what was fetched, once its content is right.
fs::path install(const CardFile& file, const std::string& url, const fs::path& part, const fs::path& home) {
  const std::string bytes = read_file(part);
  const int64_t limit = is_archive(url) || file.bytes == 0 ? kMostBytes : file.bytes;
  const std::string content = is_gzip(bytes) ? gunzip(bytes, url, limit) : bytes;
  const fs::path plain = home / file.name, packed = home / (file.name + ".gz");
  fs::create_directories(plain.parent_path());
  if (is_archive(url)) {
    const std::string member(tar_member(content, file.member.empty() ? file.name : file.member, url));
    check(file, member, url);
    write_file(plain, member);
    return plain;
  }
  check(file, content, url);
  const fs::path& place = is_gzip(bytes) ? packed : plain;
  fs::rename(part, place);
  fs::remove(place == packed ? plain : packed);  // a wrong older copy would be found first
  return place;
}

fs::path part_of(const std::string& url, const fs::path& home) { return home / (url.substr(url.rfind('/') + 1) + ".part"); }

// Fetches and installs from one address. A part left by an earlier attempt may be of another version: then once more from the
// start.
fs::path get_from(const CardFile& file, const std::string& url, const fs::path& home, const OnProgress& progress) {
  const fs::path part = part_of(url, home), whole = part.parent_path() / part.stem();
  if (is_archive(url) && fs::exists(whole)) return install(file, url, whole, home);
  for (bool resumed = fs::exists(part);; resumed = false) {
    fetch(url, part, limit_of(file, url), progress);
    try {
      if (!is_archive(url)) return install(file, url, part, home);
      const fs::path placed = install(file, url, part, home);
      fs::rename(part, whole);  // kept until every member is out
      return placed;
    } catch (const Error& error) {
      if (error.kind != ErrorKind::data) throw;
      fs::remove(part);
      if (!resumed) throw;
    }
  }
}

fs::path get(const Card& card, const CardFile& file, const fs::path& home, const OnProgress& progress) {
  if (file.urls.empty())
    fail(ErrorKind::data, "{}: {} has no address to download from; it comes from {}", card.name, file.name, card.source);
  for (size_t i = 0;; ++i) {
    try {
      return get_from(file, file.urls[i], home, progress);
    } catch (const Error&) {
      if (i + 1 == file.urls.size()) throw;
    }
  }
}

}  // namespace

std::vector<fs::path> download(const Card& card, const DataFolders& folders, const OnProgress& progress) {
  if (card.files.empty())
    fail(ErrorKind::data, "{}: there is nothing to download{}", card.name,
         card.decoder->is_generator() ? ", it is generated" : "; it comes from " + card.source);
  const fs::path home = folders.download / card.name;
  std::vector<fs::path> written;
  for (const CardFile& file : card.files) {
    if (is_there(card, file, folders)) continue;
    std::error_code error;
    fs::create_directories(home, error);
    if (error) fail(ErrorKind::failure, "{}: {}", home.string(), error.message());
    written.push_back(get(card, file, home, progress));
  }
  for (const CardFile& file : card.files)
    for (const std::string& url : file.urls)
      if (is_archive(url)) fs::remove(home / part_of(url, home).stem());
  return written;
}

}  // namespace lp

// Downloads from a local server: whole, resumed, wrong, cut off, out of archives.
#include "lptrain/data/download.h"

#include "data/fixtures.h"
#include "data/http_server.h"
#include "data/tar_fixture.h"
#include "lptrain/data/bytes.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string noise(size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(Key(8).bits32(i));
  return bytes;
}

Card card_of(const std::string& content, std::vector<std::string> urls, const std::string& member = "") {
  Card card;
  card.name = "set";
  card.source = "the moon";
  card.decoder.select("csv");
  card.files.push_back(
      {"a.bin", Part::train, static_cast<int64_t>(content.size()), std::move(urls), member, {{sha256(content), "it", true}}});
  return card;
}

struct Place : Folder {
  DataFolders folders{{path}, path};
  std::filesystem::path file(const std::string& name) const { return path / "set" / name; }
  bool has(const std::string& name) const { return std::filesystem::exists(file(name)); }
};

}  // namespace

TEST_CASE("without libcurl the error says so" * doctest::skip(can_download())) {
  const Place place;
  CHECK(contains(error_of(ErrorKind::failure, [&] { download(card_of("x", {"http://127.0.0.1:1/a"}), place.folders); }),
                 "without libcurl"));
}

TEST_CASE("plain, packed and archived files are put into place" * doctest::skip(!can_download())) {
  HttpServer server;
  const std::string content = noise(100000);
  server.put("/plain", {content});
  server.put("/packed.gz", {gzip(content)});
  server.put("/all.tar.gz", {gzip(tar_entry("x/readme", "hello") + tar_entry("x/a.bin", content) + tar_entry("x/b.bin", "bee") +
                                  std::string(1024, '\0'))});
  Place plain, packed, archived;
  int64_t seen = 0;
  CHECK(download(card_of(content, {server.url("/plain")}), plain.folders, [&](const std::string&, int64_t bytes, int64_t) {
          seen = bytes;
        }).size() == 1);
  CHECK(read_file(plain.file("a.bin")) == content);
  CHECK(seen == 100000);
  download(card_of(content, {server.url("/packed.gz")}), packed.folders);
  CHECK(gunzip(read_file(packed.file("a.bin.gz")), "a", 100000) == content);
  Card two = card_of(content, {server.url("/all.tar.gz")}, "x/a.bin");
  two.files.push_back({"b.bin", Part::test, 3, {server.url("/all.tar.gz")}, "x/b.bin", {{sha256("bee"), "b", true}}});
  CHECK(download(two, archived.folders).size() == 2);
  CHECK(read_file(archived.file("a.bin")) == content);
  CHECK(read_file(archived.file("b.bin")) == "bee");
  CHECK(std::distance(std::filesystem::directory_iterator(archived.path / "set"), {}) == 2);  // nothing else is left
  CHECK(server.requests().size() == 3);                                                       // the archive came once
  CHECK(download(two, archived.folders).empty());                                             // all there: nothing is asked
  CHECK(server.requests().size() == 3);
}

TEST_CASE("a broken connection is resumed where it broke" * doctest::skip(!can_download())) {
  HttpServer server;
  const std::string content = noise(50000);
  Place place;
  server.put("/a", {content, 20000, 2});
  download(card_of(content, {server.url("/a")}), place.folders);
  CHECK(read_file(place.file("a.bin")) == content);
  CHECK(server.requests() == std::vector<std::string>{"GET /a", "GET /a from 20000", "GET /a from 40000"});
}

TEST_CASE("an attempt that failed is resumed by the next one; servers without ranges start over" *
          doctest::skip(!can_download())) {
  HttpServer server;
  const std::string content = noise(50000);
  for (bool knows_ranges : {true, false}) {
    Place place;
    std::filesystem::create_directories(place.path / "set");
    write_file(place.file("a.part"), content.substr(0, 30000));
    server.put("/a", {content, 0, 0, knows_ranges});
    download(card_of(content, {server.url("/a")}), place.folders);
    CHECK(read_file(place.file("a.bin")) == content);
    CHECK_FALSE(place.has("a.part"));
  }
}

TEST_CASE("a part of another version is thrown away and fetched again" * doctest::skip(!can_download())) {
  HttpServer server;
  const std::string content = noise(5000);
  Place place;
  std::filesystem::create_directories(place.path / "set");
  write_file(place.file("a.part"), std::string(3000, 'z'));
  server.put("/a", {content});
  download(card_of(content, {server.url("/a")}), place.folders);
  CHECK(read_file(place.file("a.bin")) == content);
  write_file(place.file("a.part"), std::string(9000, 'z'));  // longer than the file: the server cannot go on
  std::filesystem::remove(place.file("a.bin"));
  download(card_of(content, {server.url("/a")}), place.folders);
  CHECK(read_file(place.file("a.bin")) == content);
}

TEST_CASE("wrong content never gets into place; the next address is tried" * doctest::skip(!can_download())) {
  HttpServer server;
  const std::string content = noise(4000);
  server.put("/wrong", {noise(3999) + "x"});
  server.put("/long", {noise(500000)});
  server.put("/right", {content});
  Place place;
  CHECK(contains(error_of(ErrorKind::data, [&] { download(card_of(content, {server.url("/wrong")}), place.folders); }),
                 "sha256 of a.bin is"));
  CHECK(contains(error_of(ErrorKind::failure, [&] { download(card_of(content, {server.url("/long")}), place.folders); }),
                 "sends more than"));
  CHECK(contains(error_of(ErrorKind::failure, [&] { download(card_of(content, {server.url("/gone")}), place.folders); }),
                 "HTTP 404"));
  CHECK_FALSE(place.has("a.bin"));
  CHECK(std::filesystem::is_empty(place.path / "set"));
  download(card_of(content, {server.url("/gone"), server.url("/wrong"), server.url("/right")}), place.folders);
  CHECK(read_file(place.file("a.bin")) == content);
  write_file(place.file("a.bin"), "damaged later");
  CHECK(download(card_of(content, {server.url("/right")}), place.folders).size() == 1);
  CHECK(read_file(place.file("a.bin")) == content);
}

TEST_CASE("a connection that always breaks keeps what has come; other protocols are refused" * doctest::skip(!can_download())) {
  HttpServer server;
  const std::string content = noise(60000);
  server.put("/a", {content, 1000, 1000});
  Place place;
  CHECK(contains(error_of(ErrorKind::failure, [&] { download(card_of(content, {server.url("/a")}), place.folders); }),
                 "try again"));
  CHECK(std::filesystem::file_size(place.file("a.part")) == 5000);
  const Place other;
  write_file(other.path / "local", content);
  CHECK(contains(error_of(ErrorKind::failure,
                          [&] { download(card_of(content, {"file://" + (other.path / "local").string()}), place.folders); }),
                 "file://"));
}

TEST_CASE("what cannot be downloaded says so") {
  const Place place;
  Card card = card_of("x", {});
  CHECK(contains(error_of(ErrorKind::data, [&] { download(card, place.folders); }), "it comes from the moon"));
  card.files.clear();
  CHECK(contains(error_of(ErrorKind::data, [&] { download(card, place.folders); }), "nothing to download"));
  card.decoder.select("digits");
  CHECK(contains(error_of(ErrorKind::data, [&] { download(card, place.folders); }), "it is generated"));
}

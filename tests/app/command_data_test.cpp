// Downloads as a user starts them: from a local server that breaks, lies or has lost the file.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/program.h"
#include "data/http_server.h"
#include "lptrain/base/files.h"
#include "lptrain/data/download.h"

using namespace lp;
using namespace lp::test;

namespace {

// 300 points of two classes.
std::string table() {
  std::string text = "x,y,side\n";
  for (int i = 0; i < 300; ++i) text += fmt::format("{},{},{}\n", i % 17, i % 5, i % 17 > 8 ? "right" : "left");
  return text;
}

// A folder with the card of a set "points" whose file is at `url`.
struct Place : Folder {
  explicit Place(const std::string& url) {
    write_file(path / "points.json",
               fmt::format(R"({{"title": "Points", "decoder": {{"csv": {{"header": true, "label": "side"}}}},
      "files": [{{"name": "points.csv", "bytes": {}, "urls": ["{}"], "sums": [{{"sha256": "{}"}}]}}]}})",
                           table().size(), url, sha256(table())));
  }
  Outcome data(const Line& more) const { return run(Line{"data", "points", "--data", path.string()} + more); }
  // What is in the set's own folder.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    if (fs::exists(path / "points"))
      for (const auto& entry : fs::directory_iterator(path / "points")) names.push_back(entry.path().filename().string());
    return names;
  }
};

}  // namespace

TEST_CASE("a download goes on where the connection broke, is checked, and serves a run" * doctest::skip(!can_download())) {
  HttpServer server;
  server.put("/points.csv", {table(), 700, 2});
  const Place place(server.url("/points.csv"));
  CHECK(place.data({"--verify"}).code == 3);
  const Outcome got = place.data({"--download"});
  CAPTURE(got.err);
  CHECK(got.code == 0);
  CHECK(got.says("wrote " + (place.path / "points/points.csv").string()));
  CHECK(server.requests() ==
        std::vector<std::string>{"GET /points.csv", "GET /points.csv from 700", "GET /points.csv from 1400"});
  CHECK(place.files() == std::vector<std::string>{"points.csv"});
  CHECK(read_file(place.path / "points/points.csv") == table());
  CHECK(place.data({"--verify"}).code == 0);
  CHECK(place.data({"--download"}).says("everything is here already"));
  CHECK(server.requests().size() == 3);
  const Outcome trained = run({"train", "table_f32", "--set", "dataset=points", "--set", "train.epochs=1", "--data",
                               place.path.string(), "--out", place / "run"});
  CAPTURE(trained.err);
  CHECK(trained.code == 0);
}

TEST_CASE("a connection that always breaks exits 1 and keeps what came; the next attempt goes on from there" *
          doctest::skip(!can_download())) {
  HttpServer server;
  server.put("/points.csv", {table(), 100, 1000});
  const Place place(server.url("/points.csv"));
  const Outcome broken = place.data({"--download"});
  CAPTURE(broken.err);
  CHECK(broken.code == 1);
  CHECK(broken.says("try again"));
  CHECK(place.files() == std::vector<std::string>{"points.csv.part"});
  const size_t came = fs::file_size(place.path / "points/points.csv.part");
  CHECK(came % 100 == 0);
  CHECK(came > 0);
  CHECK(place.data({"--verify"}).code == 3);  // a part is no file
  server.put("/points.csv", {table()});
  CHECK(place.data({"--download"}).code == 0);
  CHECK(server.requests().back() == fmt::format("GET /points.csv from {}", came));
  CHECK(place.files() == std::vector<std::string>{"points.csv"});
}

TEST_CASE("what is not what the card says never gets into place, and nothing is left of it" * doctest::skip(!can_download())) {
  HttpServer server;
  std::string other = table();
  other.back() = ' ';
  server.put("/points.csv", {other});
  const Place place(server.url("/points.csv"));
  const Outcome wrong = place.data({"--download"});
  CAPTURE(wrong.err);
  CHECK(wrong.code == 3);
  CHECK(wrong.says(sha256(other)));
  CHECK(wrong.says(sha256(table())));
  CHECK(place.files().empty());

  const Place gone(server.url("/gone.csv"));
  const Outcome lost = gone.data({"--download"});
  CAPTURE(lost.err);
  CHECK(lost.code == 1);
  CHECK(lost.says("HTTP 404"));
  CHECK(gone.files().empty());
}

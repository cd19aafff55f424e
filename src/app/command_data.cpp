// lptrain data: what data sets there are, and what is in them.
#include "lptrain/app/console.h"
#include "lptrain/app/data_facts.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/data/card_files.h"
#include "lptrain/data/download.h"
#include "lptrain/data/export.h"
#include "rows.h"

namespace lp {
namespace {

struct DataLine {
  std::string name, title, state;
  void fields(Fields& f) {
    f("name", name, "of the data set");
    f("title", title, "one line");
    f("state", state, "generated, here, missing, or how many of its files are here");
  }
};

struct DataList {
  std::string status = "finished";
  std::vector<DataLine> datasets;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("datasets", datasets, "sorted by name");
  }
};

int list_all(const DataFolders& folders, const Console& console) {
  DataList list;
  Cells cells{{"name", "files", "title"}};
  for (const std::string& name : card_names(folders)) {
    const Card card = load_card(name, folders);
    list.datasets.push_back({name, card.title, where(card, folders)});
    cells.push_back({name, list.datasets.back().state, card.title});
  }
  console.print("{}", table_text(cells));
  std::vector<std::string> searched;
  for (const auto& folder : folders.search) searched.push_back(folder.string());
  console.print("\nlptrain data NAME shows one; data sets are looked for in {}", join(searched));
  console.json(write(list));
  return 0;
}

void get(const Card& card, const DataFolders& folders, const Console& console) {
  if (card.decoder->is_generator()) return console.say("{}: is generated, there is nothing to download", card.name);
  std::string announced;
  const auto progress = [&](const std::string& file, int64_t, int64_t total) {
    if (!console.shows_progress() || announced == file) return;
    announced = file;
    console.say("{}{}", file, total > 0 ? ": " + human_bytes(total) : "");
  };
  const auto written = download(card, folders, progress);
  for (const auto& file : written) console.say("wrote {}", file.string());
  if (written.empty()) console.say("{}: everything is here already", card.name);
}

struct FileLine {
  std::string name, path, state, sha256, what;
  int64_t bytes = 0;
  void fields(Fields& f) {
    f("name", name, "of the file");
    f("path", path, "where it is");
    f("state", state, "verified, quoted (a sum nobody computed), unlisted (no sum), missing, wrong");
    f("bytes", bytes, "uncompressed");
    f("sha256", sha256, "of the uncompressed content");
    f("what", what, "what that content is");
  }
};

struct Verification {
  std::string status = "finished", name;
  std::vector<FileLine> files;
  void fields(Fields& f) {
    f("status", status, "finished, or wrong");
    f("name", name, "of the data set");
    f("files", files, "of its card; none for generated sets");
  }
};

// Throws Error(data) if a file is missing or wrong, after telling about each.
void verify(const Card& card, const DataFolders& folders, const Console& console) {
  Verification result;
  result.name = card.name;
  Cells cells{{"file", "state", "bytes", "what"}};
  for (const FileReport& r : verify_files(card, folders)) {
    if (r.state == FileState::missing || r.state == FileState::wrong) result.status = "wrong";
    result.files.push_back({r.name, r.path.string(), std::string(word_of(r.state)), r.sha256, r.what, r.bytes});
    cells.push_back(
        {r.path.empty() ? r.name : r.path.string(), std::string(word_of(r.state)), fmt::format("{}", r.bytes), r.what});
  }
  console.print(card.files.empty() ? fmt::format("{}: the card lists no files to check", card.name) : table_text(cells));
  if (result.status == "wrong")
    fail(ErrorKind::data, "{}: files are missing or wrong; type: lptrain data {} --download", card.name, card.name);
  console.json(write(result));
}

DataFacts read_and_write(const Card& card, const DataFolders& folders, const Arguments& arguments, const Console& console) {
  DatasetSpec spec;
  spec.name = card.name;
  const Dataset set = load_dataset(spec, folders);
  if (arguments.has("preview")) {
    write_file(arguments.text("preview"), encode_png(contact_sheet(set)));
    console.say("wrote {}", arguments.text("preview"));
  }
  if (arguments.has("export")) {
    export_dataset(set, arguments.text("export"));
    console.say("wrote {}", arguments.text("export"));
  }
  return facts_of(set, folders);
}

}  // namespace

int command::data(const Arguments& arguments) {
  const Console console(arguments);
  const DataFolders folders = data_folders(arguments.text("data"));
  if (!arguments.has("NAME")) {
    for (const char* option : {"verify", "download", "preview", "export"})
      require(!arguments.has(option), "data --{}: wants the NAME of a data set: {}", option, join(card_names(folders)));
    return list_all(folders, console);
  }
  const Card card = load_card(arguments.text("NAME"), folders);
  if (arguments.has("download")) get(card, folders, console);
  if (arguments.has("verify")) {
    verify(card, folders, console);
    return 0;
  }
  const bool is_written = arguments.has("preview") || arguments.has("export");
  const std::string files = where(card, folders);
  const bool is_here = files == "here" || files == "generated";
  const DataFacts facts = is_here || is_written ? read_and_write(card, folders, arguments, console) : facts_of(card, folders);
  console.print("{}", facts.text());
  console.json(write(facts));
  return 0;
}

}  // namespace lp

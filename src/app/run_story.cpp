// Reading a run folder.
#include "lptrain/app/run_story.h"

#include <algorithm>

#include "lptrain/app/run_record.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 28;

// f(the text of a file that the program wrote).
template <class Read>
auto read_undamaged(const std::filesystem::path& file, Read read) {
  if (!std::filesystem::exists(file))
    fail(ErrorKind::data, "{}: there is no {}; is it a run folder?", file.parent_path().string(), file.filename().string());
  return undamaged([&] { return read(read_file(file, kMostBytes)); });
}

Document document_in(const std::filesystem::path& file) {
  return read_undamaged(file, [&](const std::string& text) { return Document::parse(text, file.string()); });
}

// A line may tell more than the scores.
EpochScores scores_of(Document line) {
  static const std::vector<std::string> kKnown = write(EpochScores{}).keys();
  for (const std::string& key : line.keys())
    if (std::ranges::find(kKnown, key) == kKnown.end()) line.erase(fmt::format("\"{}\"", key));
  EpochScores scores;
  read(line, scores);
  return scores;
}

void read_metrics(const std::filesystem::path& file, RunStory& story) {
  read_undamaged(file, [&](const std::string& text) {
    int64_t number = 0;
    for (const std::string& line : split(text, '\n')) {
      ++number;
      if (line.empty()) continue;
      const Document document = Document::parse(line, fmt::format("{}:{}", file.string(), number));
      story.history.push_back(scores_of(document));
      story.numerics = document.is_object("numerics") ? document.at("numerics") : Document();
    }
    return 0;
  });
}

}  // namespace

RunStory run_story(const std::filesystem::path& folder, const Summary& summary) {
  RunStory story{summary, document_in(folder / "config.json"), document_in(folder / "meta.json"), {}, {}};
  read_metrics(folder / "metrics.jsonl", story);
  return story;
}

RunStory run_story(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "summary.json";
  return run_story(folder, read_undamaged(file, [&](const std::string& text) {
                     Summary summary;
                     read(Document::parse(text, file.string()), summary);
                     return summary;
                   }));
}

}  // namespace lp

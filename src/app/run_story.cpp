// Reading a run folder.
#include "lptrain/app/run_story.h"

#include "lptrain/app/run_record.h"
#include "lptrain/base/files.h"
#include "lptrain/base/undamaged.h"

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

}  // namespace

RunStory run_story(const std::filesystem::path& folder, const Summary& summary) {
  return {summary, document_in(folder / "config.json"), document_in(folder / "meta.json"), read_metrics(folder)};
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

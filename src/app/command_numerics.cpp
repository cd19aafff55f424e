// lptrain numerics: what happened to the numbers of a run while it trained.
#include <algorithm>
#include <filesystem>

#include "lptrain/app/numerics_text.h"
#include "lptrain/app/run_record.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

struct NumericsResult {
  std::string status = "finished", run;
  std::vector<EpochScores> epochs;
  std::vector<Remark> remarks;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("run", run, "its folder");
    f("epochs", epochs, "lines of metrics.jsonl, with their counters");
    f("remarks", remarks, "on the last of them; on updates, over its phase so far");
  }
};

std::string epoch_text(const EpochScores& e) {
  const Numerics& n = *e.numerics;
  std::vector<std::string> parts{fmt::format("epoch {}{}", e.epoch, e.phase ? fmt::format(" of phase {}", e.phase + 1) : "")};
  if (!n.roles.empty()) parts.push_back(table_text(role_cells(n)));
  if (!n.updates.empty()) parts.push_back(table_text(update_cells(n)));
  if (!n.sums.empty()) parts.push_back(table_text(sum_cells(n)));
  if (!n.loss_scale.empty()) parts.push_back(fmt::format("loss scale {}; {} steps skipped", loss_scale_text(n), e.skipped));
  return join(parts, "\n\n");
}

std::vector<EpochScores> counted(const std::string& run) {
  std::vector<EpochScores> epochs = read_metrics(run);
  std::erase_if(epochs, [](const EpochScores& e) { return !e.numerics; });
  require(!epochs.empty(), "{}: nothing was counted; train with \"numerics\": true in the config (--set numerics=true)", run);
  return epochs;
}

// Those that --epoch wants: one of each phase, all, or the last.
std::vector<EpochScores> chosen(std::vector<EpochScores> epochs, const std::string& run, const Arguments& arguments) {
  const std::string& wanted = arguments.text("epoch");
  if (wanted == "all") return epochs;
  if (wanted.empty()) return {epochs.back()};
  const int64_t number = *arguments.integer("epoch", 1, 1'000'000'000);
  std::erase_if(epochs, [&](const EpochScores& e) { return e.epoch != number; });
  require(!epochs.empty(), "--epoch {}: {} has no such epoch with counters", number, run);
  return epochs;
}

std::string remarks_text(const std::vector<Remark>& remarks) {
  if (remarks.empty()) return "nothing stands out: few numbers are lost";
  std::vector<std::string> lines;
  for (const Remark& r : remarks) lines.push_back("* " + r.sentence());
  return join(lines, "\n");
}

}  // namespace

int command::numerics(const Arguments& arguments) {
  const Console console(arguments);
  NumericsResult result;
  result.run = arguments.text("RUN");
  const std::vector<EpochScores> history = counted(result.run);
  result.epochs = chosen(history, result.run, arguments);
  const auto last = std::ranges::find(history, result.epochs.back().step, &EpochScores::step);
  result.remarks = remarks_on({history.begin(), last + 1});
  for (const EpochScores& e : result.epochs) console.print("{}\n", epoch_text(e));
  console.print("{}", remarks_text(result.remarks));
  console.json(write(result));
  return 0;
}

}  // namespace lp

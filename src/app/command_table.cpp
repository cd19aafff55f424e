// lptrain table: runs as a table, with means over seeds and differences to a baseline.
#include <algorithm>

#include "lptrain/app/console.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/app/table.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

// Columns that fit a page beside a label or two.
const std::vector<std::string> kOfPapers{"accuracy", "difference", "bits_per_weight", "packed_bytes"};

std::vector<std::string> words_of(const std::string& text) {
  return text.empty() ? std::vector<std::string>{} : split(text, ',');
}

// As the first sweep says, unless told otherwise.
TableLayout layout_of(const std::vector<std::string>& folders, const Arguments& arguments) {
  TableLayout layout;
  if (is_sweep_folder(folders[0])) {
    const SweepSpec spec = read_sweep_of(folders[0]);
    layout = {spec.rows, spec.columns, {}, spec.baseline};
  }
  if (arguments.has("rows") || arguments.has("cols"))
    layout.rows = words_of(arguments.text("rows")), layout.columns = words_of(arguments.text("cols"));
  layout.metrics = words_of(arguments.text("metric"));
  if (layout.metrics.empty() && layout.columns.empty() && arguments.text("format") == "tex") layout.metrics = kOfPapers;
  if (arguments.has("baseline")) layout.baseline = arguments.text("baseline");
  return layout;
}

// Labels of rows and columns are what others can be compared with.
void check_baseline(const Table& table, const std::string& baseline) {
  std::vector<std::string> known;
  const auto add = [&](const std::vector<std::string>& labels) {
    for (const std::string& label : labels)
      if (std::ranges::find(known, label) == known.end()) known.push_back(label);
  };
  for (const TableRow& row : table.rows) add(row.labels);
  for (const TableHead& head : table.heads) add(head.labels);
  require(std::ranges::find(known, baseline) != known.end(), "--baseline {}: nothing in this table is called so; there are {}",
          baseline, join(known));
}

}  // namespace

int command::table(const Arguments& arguments) {
  const Console console(arguments);
  const std::vector<std::string>& folders = arguments.list("RUN");
  const Table table = table_of(read_records(folders), layout_of(folders, arguments));
  if (arguments.has("baseline")) check_baseline(table, arguments.text("baseline"));
  std::string text = table_as(table, arguments.has("format") ? arguments.text("format") : "md");
  text.pop_back();  // print() ends the line
  console.print(std::string_view(text));
  console.json(table_document(table));
  return 0;
}

}  // namespace lp

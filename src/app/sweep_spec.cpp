// Reading sweep files.
#include "lptrain/app/sweep_spec.h"

#include <algorithm>

#include "lptrain/app/config_source.h"
#include "lptrain/base/places.h"
#include "lptrain/base/text.h"
#include "lptrain/train/config.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr double kMostSeed = 9007199254740992;  // 2^53: the largest that JSON carries everywhere

// A name goes into the name of a folder.
bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= 100 && name[0] != '.' &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

bool are_different(std::vector<int64_t> numbers) {
  std::ranges::sort(numbers);
  return std::ranges::adjacent_find(numbers) == numbers.end();
}

void visit_seeds(Fields& f, std::vector<int64_t>& seeds, const char* doc) {
  f("seeds", seeds, doc);
  f.claim(are_different(seeds), "seeds: one is there twice");
  f.claim(std::ranges::all_of(seeds, [](int64_t s) { return s >= 0 && static_cast<double>(s) <= kMostSeed; }),
          "seeds: wanted integers in 0..2^53");
}

void refuse_others(const Document& document, const std::string& name) {
  if (document.has("vary") || document.has("base") || document.has("seeds")) return;
  fail(ErrorKind::usage, "{}: this is no sweep: it has neither \"base\" nor \"vary\"{}", name,
       document.has("model") || document.has("train") || document.has("dataset") ? "; a run config is trained by `lptrain train`"
                                                                                 : "");
}

Document base_of(const Document& written, const fs::path& beside) {
  if (written.is_object()) return written;
  const std::string name = written.text_at("");
  const fs::path near = beside / name;
  const fs::path file = fs::is_regular_file(near) ? near : find_config(name);
  const Document base = Document::load(file);
  require(!base.has("vary") && !base.has("base"), "base {}: is a sweep itself; wanted a run config", file.string());
  return base;
}

// A point that extends a config begins with what that config says, key by key, settled (of choices that it replaced nothing is
// left); then come its own assignments.
void extend_points(Document& axis, const fs::path& beside) {
  for (const auto& [name, point] : axis.members()) {
    if (!point.is_object() || !point.has("extends")) continue;
    require(name.find('.') == name.npos, "\"{}\" extends a config: its name cannot have a dot", name);
    Document whole = compact(read_config(base_of(point.at("extends"), beside)));
    for (const char* text : {"$schema", "name", "expected"}) whole.erase(text);
    whole.merge(point);
    whole.erase("extends");
    axis.set(name, whole.dump(0), point.origin(""));
  }
}

}  // namespace

void CellRule::fields(Fields& f) {
  f("where", where, "axis -> pattern of its points; cells that match all of them");
  f("set", set, "path -> value: what differs there");
  f("skip", skip, "leave these cells out");
  f.claim(skip != !set.empty(), "wanted either \"set\" or \"skip\"");
}

void SweepSize::fields(Fields& f) {
  f("set", set, "path -> value: what differs from the full size");
  visit_seeds(f, seeds, "instead of those of the full size");
  f("only", only, "points of the axes; empty: all");
  f("minutes", minutes, "that it may take on two cores; 0: not said", {0, 1e6});
}

void Published::fields(Fields& f) {
  const Range pair{2, 2};
  f("where", where, "axis -> pattern of its points");
  f("metric", metric, "the column that the value belongs to, as `lptrain table --metric` names it");
  f("value", value, "as published, in the unit of the column");
  f("deviation", deviation, "as published");
  f("band", band, "[low, high]: ours minus the published value (minus 0 without one)", pair);
  f("reduced", reduced, "the same for the reduced size", pair);
  f("quick", quick, "the same for the quick size", pair);
  f("source", source, "where it is published");
  f("note", note, "for people");
  f("recalled", recalled, "from memory, not verified");
  for (const auto& b : {band, reduced, quick})
    f.claim(!b || b->size() != 2 || (*b)[0] <= (*b)[1], "a band is [low, high] with low <= high");
}

void SweepSpec::fields(Fields& f) {
  f("name", name, "of the sweep; its folder is runs/<name>");
  f("description", description, "what it shows, for people");
  f("base", base, "the config that all runs begin with: a name, a file beside this one, or the config itself");
  f("set", set, "path -> value: changed in every run");
  f("vary", vary,
    "axis -> its points: a list of values for the path that the axis is named after, or name -> {path: value}, where \"extends\" "
    "names a config that the point begins with");
  f("cells", cells, "what differs in some cells of the grid");
  visit_seeds(f, seeds, "each cell is trained once with each");
  f.claim(!seeds.empty(), "seeds: wanted at least one");
  f("only", only, "points of the axes; empty: all");
  f("rows", rows, "axes that name the rows of its table");
  f("columns", columns, "axes that name the columns of its table");
  f("baseline", baseline, "the point that others are compared with");
  f("minutes", minutes, "that it may take on two cores; 0: not said", {0, 1e6});
  f("reduced", reduced, "a version that takes less than an hour");
  f("quick", quick, "a version that takes one or two minutes");
  f("published", published, "what others report, and how near ours should come");
  f("discussion", discussion, "sentences that analyse the numbers of the full size, printed below its table");
}

SweepSpec read_sweep(const Document& document, const fs::path& beside) {
  SweepSpec spec;
  Document none;  // knows where a base would stand
  none.set("base", "{}", document.origin(""));
  spec.base = none.at("base");
  read(document, spec);
  spec.base = base_of(spec.base, beside);
  for (auto& [name, axis] : spec.vary) extend_points(axis, beside);
  return spec;
}

SweepSpec load_sweep(const fs::path& file) {
  const Document document = Document::load(file);
  refuse_others(document, file.string());
  SweepSpec spec = read_sweep(document, file.parent_path());
  if (spec.name.empty()) spec.name = file.stem().string();
  require(is_plain(spec.name), "{}: a name holds letters, digits, '_', '-' and '.', found \"{}\"", file.string(), spec.name);
  return spec;
}

const SweepSize& size_of(const SweepSpec& spec, const std::string& size) { return size == "quick" ? spec.quick : spec.reduced; }

SweepSpec in_size(SweepSpec spec, const std::string& size) {
  const SweepSize smaller = size_of(spec, size);
  require(smaller.is_said(), "{}: has no \"{}\" size", spec.name, size);
  spec.name += "-" + size;
  if (!smaller.set.empty()) spec.cells.push_back({{}, smaller.set, false});
  if (!smaller.seeds.empty()) spec.seeds = smaller.seeds;
  if (!smaller.only.empty()) spec.only = smaller.only;
  spec.minutes = smaller.minutes;
  for (Published& p : spec.published) p.band = size == "quick" ? p.quick : p.reduced;
  spec.reduced = spec.quick = {};
  spec.discussion.clear();
  return spec;
}

fs::path find_sweep(const std::string& name) {
  const std::string file = name.ends_with(".json") ? name : name + ".json";
  std::error_code error;
  if (!fs::is_regular_file(name, error))
    for (const fs::path& folder : places("configs"))
      for (const fs::path& path : {folder / "tables" / file, folder / file, folder.parent_path() / file})
        if (fs::is_regular_file(path, error)) return path;
  require(fs::is_regular_file(name, error), "{}: there is no such sweep{}", name,
          suggestion(fs::path(name).stem().string(), shipped_configs("tables")));
  return name;
}

bool matches(std::string_view patterns, std::string_view name) {
  return std::ranges::any_of(split(patterns, '|'), [&](const std::string& p) { return glob_match(p, name); });
}

}  // namespace lp

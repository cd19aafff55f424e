// lptrain config: configs shown, checked, compared, begun. Shipped configs name "schema.json" beside them as their schema, so
// that editors complete and check them: `lptrain schema --out configs/schema.json` writes it.
#include <algorithm>

#include "lptrain/app/config_source.h"
#include "lptrain/app/config_values.h"
#include "lptrain/app/console.h"
#include "lptrain/app/product_plan.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

// ---- show

struct Origins {
  std::string status = "finished";
  std::vector<ConfigValue> values;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("values", values, "in the order of the config");
  }
};

Document source_of(const std::string& name, const Arguments& arguments) {
  Document source = document_of(name);
  for (const std::string& assignment : arguments.list("set")) source.set(assignment);
  return source;
}

int show(const std::vector<std::string>& names, const Arguments& arguments, const Console& console) {
  require(names.size() <= 1, "config show: wants one CONFIG (or none, for the defaults), found {}", names.size());
  const Document source = names.empty() ? Document() : source_of(names[0], arguments);
  const RunConfig config = names.empty() ? read_config(Document(), arguments.list("set")) : config_of(names[0], arguments);
  const Document shown = arguments.has("compact") ? compact(config) : config.document;
  if (!arguments.has("origin")) {
    console.print("{}", shown.dump());
    console.json(shown);
    return 0;
  }
  Origins origins{.values = values_of(shown, source)};
  Cells cells{{"path", "origin", "value"}};
  for (const ConfigValue& v : origins.values) cells.push_back({v.path, v.origin, v.value});
  console.print("{}", table_text(cells));
  console.json(write(origins));
  return 0;
}

// ---- validate

struct ProblemLine {
  std::string origin, path, message;
  void fields(Fields& f) {
    f("origin", origin, "file:line:column");
    f("path", path, "dotted");
    f("message", message, "what is wrong");
  }
};

struct Verdict {
  std::string config;
  std::vector<ProblemLine> problems;
  void fields(Fields& f) {
    f("config", config, "as named");
    f("problems", problems, "empty: it is right");
  }
};

struct Verdicts {
  std::string status = "finished";
  std::vector<Verdict> configs;
  void fields(Fields& f) {
    f("status", status, "finished, or error if any has problems");
    f("configs", configs, "in the order they were named");
  }
};

// Reads it and, if that goes well, builds its model: shapes and the names in overrides are right only together.
Verdict verdict_on(const std::string& name, const Arguments& arguments) {
  Verdict verdict{name, {}};
  try {
    model_of(config_of(name, arguments), arguments.text("data"));
  } catch (const DocumentError& e) {
    for (const Problem& p : e.problems) verdict.problems.push_back({p.origin, p.path, p.message});
  } catch (const Error& e) {
    verdict.problems.push_back({name, "", e.what()});
  }
  return verdict;
}

int validate(const std::vector<std::string>& names, const Arguments& arguments, const Console& console) {
  require(!names.empty(), "config validate: wants CONFIG... (see `lptrain config --help`)");
  Verdicts verdicts;
  for (const std::string& name : names) {
    const Verdict& verdict = verdicts.configs.emplace_back(verdict_on(name, arguments));
    if (!verdict.problems.empty()) verdicts.status = "error";
    for (const ProblemLine& p : verdict.problems) print_error(fmt::format("{}: error: {}", p.origin, p.message), true);
    if (verdict.problems.empty() && !console.is_quiet()) console.print("{}: right", name);
  }
  console.json(write(verdicts));
  return verdicts.status == "error" ? static_cast<int>(ErrorKind::usage) : 0;
}

// ---- diff

struct Changes {
  std::string status = "finished";
  std::vector<ConfigChange> changes;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("changes", changes, "values that differ");
  }
};

int diff(const std::vector<std::string>& names, const Arguments& arguments, const Console& console) {
  require(names.size() == 2, "config diff: wants two configs, found {}", names.size());
  const Changes found{.changes =
                          changes_between(read_config(document_of(names[0])).document, config_of(names[1], arguments).document)};
  const auto shown = [](const std::string& value) { return value.empty() ? "(absent)" : value; };
  for (const ConfigChange& c : found.changes) console.print("{}: {} -> {}", c.path, shown(c.before), shown(c.after));
  if (found.changes.empty()) console.print("no value differs");
  console.json(write(found));
  return 0;
}

// ---- init

constexpr std::string_view kStarter = R"({
  "$schema": "schema.json",
  "name": "mine",
  "description": "",
  "model": "cnn",
  "dataset": "digits",
  "precision": {
    "weights": {"format": "int8", "narrow": true, "scale": "absmax", "per": "channel"},
    "activations": {"format": "uint8", "scale": "ema"}
  },
  "train": {
    "epochs": 4,
    "batch": 64,
    "optimizer": {"adam": {"lr": 0.001}},
    "schedule": "cosine",
    "loss": "cross_entropy",
    "seed": 1
  }
})";

// What the schema and `explain` say of a key, as a comment.
std::string comment_on(const std::string& path, const std::vector<FieldHelp>& help) {
  constexpr size_t kLongest = 60;
  const auto found = std::ranges::find(help, path, &FieldHelp::path);
  if (found == help.end()) return path == "$schema" ? "editors complete and check: lptrain schema --out schema.json" : "";
  const bool is_short = !found->allowed.empty() && found->allowed.size() <= kLongest && found->type != "object";
  return is_short ? fmt::format("{}: {}", found->doc, found->allowed) : found->doc;
}

// An object as text, each value with its comment; the objects in it too, one level deep.
std::string commented(const Document& document, const std::string& path, const std::vector<FieldHelp>& help) {
  const std::string indent(path.empty() ? 2 : 4, ' ');
  const std::vector<std::string> keys = document.keys(path);
  std::string text;
  for (const std::string& key : keys) {
    const std::string full = path.empty() ? key : path + "." + key;
    const bool opens = path.empty() && document.is_object(full);
    const std::string value = opens ? "{" : document.at(full).dump(0), comma = key == keys.back() || opens ? "" : ",";
    const std::string comment = comment_on(full, help);
    text += fmt::format("{}{:<{}}{}\n", indent, fmt::format("\"{}\": {}{}", key, value, comma), 54 - indent.size(),
                        comment.empty() ? "" : fmt::format("  // {}", comment));
    if (opens) text += fmt::format("{}{}}}{}\n", commented(document, full, help), indent, key == keys.back() ? "" : ",");
  }
  return text;
}

// A name goes into a JSON text, and into the name of a folder.
void check_name(const std::string& name) {
  const bool is_plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  require(is_plain, "config init: a name holds letters, digits, '_', '-' and '.', found \"{}\"", name);
}

int init(const std::vector<std::string>& names, const Arguments& arguments, const Console& console) {
  require(names.size() <= 1, "config init: wants one NAME, found {}", names.size());
  Document starter = Document::parse(kStarter, "starter");
  if (!names.empty()) {
    const std::string name = names[0].ends_with(".json") ? names[0].substr(0, names[0].size() - 5) : names[0];
    check_name(name);
    starter.set("name", fmt::format("\"{}\"", name), "NAME");
  }
  const std::string file = arguments.text("out");
  const std::string text = fmt::format("// Train it: lptrain {}      What a key means: lptrain explain KEY\n{{\n{}}}",
                                       file.empty() ? "FILE.json" : file, commented(starter, "", help<RunConfig>()));
  if (file.empty()) {
    console.print("{}", text);
    console.json(starter);
    return 0;
  }
  require(!std::filesystem::exists(std::filesystem::symlink_status(file)), "config init: {} exists already; give another --out",
          file);
  write_file(file, text + "\n");
  console.say("wrote {}", file);
  console.json(starter);
  return 0;
}

struct Action {
  std::string_view name;
  int (*run)(const std::vector<std::string>& names, const Arguments&, const Console&);
};
constexpr Action kActions[] = {{"show", show}, {"validate", validate}, {"diff", diff}, {"init", init}};

}  // namespace

int command::config(const Arguments& arguments) {
  const std::string& name = arguments.text("ACTION");
  std::vector<std::string> known;
  for (const Action& action : kActions) {
    if (action.name == name) return action.run(arguments.list("CONFIG"), arguments, Console(arguments));
    known.emplace_back(action.name);
  }
  const std::string near = nearest_word(name, known);
  fail(ErrorKind::usage, "config: wanted {}, found \"{}\"{}", join(known, " | "), name,
       near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

}  // namespace lp

// lptrain explain: one word, whatever it names: a config key, a role, a layer, a method of training with quantization, a word
// that values are chosen by.
#include <algorithm>

#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/explain.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

template <class Explanation>
int put(const Explanation& e, const Console& console) {
  console.print("{}", e.text());
  console.json(write(e));
  return 0;
}

// The config that was named, as read and as written.
struct GivenConfig {
  RunConfig config;
  Document source;
};

std::optional<GivenConfig> context_of(const Arguments& arguments) {
  if (!arguments.has("CONFIG")) return {};
  GivenConfig context{config_of(arguments.text("CONFIG"), arguments), document_of(arguments.text("CONFIG"))};
  for (const std::string& assignment : arguments.list("set")) context.source.set(assignment);
  return context;
}

std::vector<std::string> layer_names(const Model& model) {
  std::vector<std::string> names;
  for (const LayerLine& line : model.lines())
    if (!line.name.empty()) names.push_back(line.name);
  return names;
}

[[noreturn]] void unknown(const std::string& word, const std::optional<Model>& model) {
  const std::vector<std::string> layers = model ? layer_names(*model) : std::vector<std::string>{};
  std::vector<std::string> known = layers;
  for (std::string_view role : Words<Role>::list) known.emplace_back(role);
  for (const auto& more : {key_words(), method_names(), choice_words()}) known.insert(known.end(), more.begin(), more.end());
  const std::string near = nearest_word(word, known);
  fail(ErrorKind::usage, "explain: \"{}\" is no key, no role, no method, no word of a choice{}{}", word,
       model ? " and no layer of that model" : fmt::format("; layers are known with a CONFIG: lptrain explain {} CONFIG", word),
       !near.empty() ? fmt::format("; did you mean \"{}\"?", near)
       : model       ? suggestion(word, layers)
                     : "");
}

}  // namespace

int command::explain(const Arguments& arguments) {
  const Console console(arguments);
  const std::string& word = arguments.text("WORD");
  const auto context = context_of(arguments);
  const auto role = std::ranges::find(Words<Role>::list, word);
  std::optional<Model> model;
  if (context) model.emplace(model_of(context->config, arguments.text("data")));
  const Precision* precision = context ? &context->config.phases.back().precision : nullptr;
  const std::vector<std::string> layers = model ? model->layers() : std::vector<std::string>{};
  if (word == "accumulator") return put(explain_accumulator(precision, layers), console);
  if (role != std::end(Words<Role>::list))
    return put(explain_role(static_cast<Role>(role - std::begin(Words<Role>::list)), precision, layers), console);
  const bool is_layer = model && std::ranges::find(model->lines(), word, &LayerLine::name) != model->lines().end();
  if (is_layer) return put(explain_layer(word, *model, context->config), console);
  const auto method = context ? std::nullopt : explain_method(word);
  if (method) return put(*method, console);
  const RunConfig* config = context ? &context->config : nullptr;
  const auto chosen = names_key(word, config) ? std::nullopt : explain_word(word);
  if (chosen) return put(*chosen, console);
  if (const auto key = explain_key(word, config, context ? &context->source : nullptr)) return put(*key, console);
  unknown(word, model);
}

}  // namespace lp

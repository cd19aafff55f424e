// From a run folder to the config of what follows it.
#include "lptrain/app/begun_from.h"

#include "lptrain/app/config_source.h"

namespace lp {
namespace {

// A config of one phase that says what the last phase of the run said.
Document last_phase(const Document& source) {
  Document d = source;
  const size_t phases = d.has("phases") ? d.size("phases") : 0;
  if (phases == 0) return d;
  const Document last = d.at(fmt::format("phases.{}", phases - 1));
  d.erase("phases");
  for (const char* key : {"precision", "train"})
    if (last.has(key)) d.merge(Document::parse(fmt::format("{{\"{}\": {}}}", key, last.at(key).dump(0)), "phases"));
  return d;
}

struct Beginning {
  std::string name, init_from;
  Rewritings rewrite;
  bool numerics = false;
  void fields(Fields& f) {
    f("name", name, "of the run");
    f("init_from", init_from, "the run before");
    f("rewrite", rewrite, "what becomes of its network");
    f("numerics", numerics, "nothing is trained");
  }
};

}  // namespace

Document begun_from(const std::string& run, std::string_view what, const Rewritings& rewrite) {
  Document d = last_phase(document_of(run));
  // What was done to the network on the way there is done.
  for (const char* key : {"ptq", "rewrite", "prune", "adaptive", "incremental", "distill", "trainable", "expected"})
    if (d.has(key)) d.erase(key);
  const std::string name = d.has("name") ? d.text_at("name") : "run";
  d.merge(write(Beginning{fmt::format("{}-{}", name, what), run, rewrite}));
  d.set("train.epochs", "0", what);
  return d;
}

}  // namespace lp

// Putting a run's page together.
#include "lptrain/app/run_page.h"

#include <algorithm>
#include <array>

#include "lptrain/app/html.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/base/text.h"
#include "lptrain/base/version.h"
#include "lptrain/train/curve.h"
#include "run_page_parts.h"

namespace lp {
namespace {

std::string text_in(const Document& d, const std::string& key) { return d.has(key) ? d.text_at(key) : ""; }

// The score to speak of: of the epoch that validation selects, if there was one.
const Score& selected(const Summary& s) { return s.best ? s.best->test : s.test; }

// "int8", "int8 and int4", "5 formats of"
std::string formats_text(const ModelCost& cost, std::string LayerCost::*format) {
  std::vector<std::string> names;
  for (const LayerCost& c : cost.layers)
    if (!(c.*format).empty() && std::ranges::find(names, c.*format) == names.end()) names.push_back(c.*format);
  return names.size() <= 3 ? join(names, "/") : fmt::format("{} formats of", names.size());
}

std::string arithmetic_text(const ModelCost& cost) {
  const std::string weights = formats_text(cost, &LayerCost::weights), activations = formats_text(cost, &LayerCost::activations);
  if (weights == activations && (weights == "f32" || weights == "f64")) return fmt::format("in {}", weights);
  return fmt::format("with {} weights and {} activations", weights, activations);
}

double shrinkage(const Summary& s) {
  return s.cost.packed_bytes.value_or(0) > 0 ? 4.0 * static_cast<double>(s.parameters) / static_cast<double>(*s.cost.packed_bytes)
                                             : 0;
}

std::string verdict(const Summary& s, const ModelCost& cost) {
  if (s.status == "diverged") return fmt::format("Training diverged after {} epochs, {}.", s.epochs, arithmetic_text(cost));
  if (s.status == "finished" && s.test.examples == 0)
    return fmt::format("Trained {}; there are no test examples to say how well.", arithmetic_text(cost));
  if (s.status != "finished") return fmt::format("Not finished: {} epochs are done, {}.", s.epochs, arithmetic_text(cost));
  std::string text = fmt::format("{} of the {} test examples are right, {}.", percent(selected(s).accuracy),
                                 grouped(selected(s).examples), arithmetic_text(cost));
  if (shrinkage(s) > 1.05)
    text += fmt::format(" Packed, the network takes {}, {:.1f} times less than in f32.", human_bytes(*s.cost.packed_bytes),
                        shrinkage(s));
  return text;
}

std::string page_header(const RunStory& story, const RunConfig& config, const ModelCost& cost) {
  const Summary& s = story.summary;
  const std::string remark =
      fmt::format("{} on {} · {} epochs in {} · seed {} · {}",
                  config.model.name.empty() ? "a model of its own" : config.model.name, text_in(story.meta, "dataset"), s.epochs,
                  human_seconds(s.seconds), text_in(story.meta, "seed"), text_in(story.meta, "started"));
  return html::header("lptrain · run", s.name, verdict(s, cost), remark);
}

std::string page_tiles(const Summary& s, const ModelCost& cost) {
  std::vector<html::Tile> tiles;
  if (s.status == "finished" && selected(s).examples > 0)
    tiles.push_back({percent(selected(s).accuracy), "Test accuracy",
                     s.best && s.best->epoch > 0 ? fmt::format("epoch {}, selected by validation", s.best->epoch) : ""});
  tiles.push_back(
      {fmt::format("{:.3g}", cost.bits_per_weight), "Bits a weight", fmt::format("{} are zero", percent(cost.sparsity))});
  if (s.cost.packed_bytes)
    tiles.push_back({human_bytes(*s.cost.packed_bytes), "Packed file",
                     fmt::format("{} parameters{}", human_count(static_cast<double>(s.parameters)),
                                 coded_text(s.cost).empty() ? "" : "; " + coded_text(s.cost))});
  tiles.push_back({human_count(static_cast<double>(cost.bit_operations)), "Bit-operations",
                   fmt::format("{} MACs an example", human_count(static_cast<double>(cost.macs)))});
  tiles.push_back({human_quantity(cost.energy_joules, "J"), "Energy, estimated", "arithmetic of an example"});
  if (s.cost.latency)
    tiles.push_back({human_seconds(s.cost.latency->batch_1), "Latency",
                     fmt::format("{} for 64 at once", human_seconds(s.cost.latency->batch_64))});
  return html::tiles(tiles);
}

std::string learning_section(const RunStory& story) {
  if (story.history.empty()) return "";
  const Summary& s = story.summary;
  std::string note;
  if (s.status == "finished" && s.best && s.best->epoch > 0) {
    const bool last_is_best = s.best->epoch == story.history.back().epoch;
    note = last_is_best ? "Validation selects the last epoch." : fmt::format("Validation selects epoch {}.", s.best->epoch);
    if (s.is_found())
      note = fmt::format("The search for bits ends with the network of epoch {}.", s.best->epoch);
    else if (!last_is_best && s.test.examples > 0)
      note = fmt::format("Validation selects epoch {}, which gets {} of the test examples right; the last one gets {}.",
                         s.best->epoch, percent(s.best->test.accuracy), percent(s.test.accuracy));
  }
  return html::section("How it learned", note,
                       html::columns(html::figure(accuracy_curve(story.history).svg("accuracy over epochs", "wide")) +
                                     html::figure(loss_curve(story.history).svg("loss over epochs", "wide"))));
}

std::string phases_section(const Summary& s) {
  if (s.phases.size() < 2) return "";
  Cells rows{{"phase", "epochs", "validation", "test", "bits a weight", "size", "zero", "bits"}};
  for (const PhaseScores& p : s.phases)
    rows.push_back({p.name, fmt::format("{}", p.epochs), p.validation.examples > 0 ? percent(p.validation.accuracy) : "-",
                    p.test.examples > 0 ? percent(p.test.accuracy) : "-", fmt::format("{:.3g}", p.bits_per_weight),
                    human_bytes(p.bytes), p.sparsity ? percent(*p.sparsity) : "-", p.bits.empty() ? "" : bits_text(p.bits)});
  return html::section("Phases", "What each ended with, and the next began with. Nothing was chosen by a test score.",
                       html::table(rows));
}

std::string reproduce_section(const RunStory& story) {
  const Document& m = story.meta;
  const std::string run = shell_text({story.summary.run});
  const std::string again =
      fmt::format("lptrain {}/config.json --threads {} --out again\nlptrain eval {}", run, text_in(m, "threads"), run);
  return html::section(
      "How to repeat it",
      "The run folder's config.json is the whole experiment. On such a machine, with as many threads, the weights come "
      "out the same to the bit.",
      html::code("# as it was begun\n" + command_text(command_of(m)) + "\n# the same again, and what was measured\n" + again) +
          environment_facts(std::array{m}) + html::folded("The whole config", html::code(story.config.dump())));
}

}  // namespace

std::string run_page(const RunStory& story, const RunConfig& config, const Dataset& data, Model& model) {
  const ModelCost cost = cost_of(model);
  std::string body = page_header(story, config, cost) + page_tiles(story.summary, cost) + learning_section(story) +
                     phases_section(story.summary);
  std::vector<TensorView> views;
  if (story.summary.status == "finished" && data.test.size() > 0) {
    const TrainSpec& train = config.phases.back().train;
    Examination e = examine(model, *train.loss, data, train.eval_batch);
    body += mistakes_section(e, data);
    views = std::move(e.tensors);
  }
  body += layers_section(cost, config, model, views) + histograms_section(views) + numerics_section(story.history) +
          data_section(std::array{facts_of(data, data_folders())}) + reproduce_section(story) +
          fmt::format("<footer>Written by lptrain {}.</footer>\n", version());
  return html::page(fmt::format("{} · lptrain", story.summary.name), body);
}

}  // namespace lp

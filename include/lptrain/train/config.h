// A whole experiment as data: what a config file says, read, checked and resolved.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/base/document.h"
#include "lptrain/data/dataset.h"
#include "lptrain/nn/rewrite.h"
#include "lptrain/prune/spec.h"
#include "lptrain/quant/precision.h"
#include "lptrain/train/loss.h"
#include "lptrain/train/loss_scale.h"
#include "lptrain/train/optimizer.h"

namespace lp {

// integer: f32 that holds nothing but integers times powers of two (train/integer.h).
enum class Compute : uint8_t { f32, f64, integer };
template <>
struct Words<Compute> {
  static constexpr std::string_view list[] = {"f32", "f64", "integer"};
};

// How the weights are moved.
struct TrainSpec {
  int64_t epochs = 10;
  int64_t batch = 64;
  Choice<Optimizer> optimizer{"sgd"};
  Choice<Schedule> schedule{"constant"};
  double warmup = 0;  // epochs
  Choice<Loss> loss{"cross_entropy"};
  Choice<LossScale> loss_scale{"none"};
  std::optional<double> clip_norm, clip_value, clip_weights, clamp;
  uint64_t seed = 1;
  int64_t eval_batch = 256;
  void fields(Fields& f);
};

// What teaches besides the labels: the scores of a trained network (train/teacher.h).   Source: Hinton, Vinyals & Dean 2015
// A layer of the student that is to tell examples apart as a layer of the teacher does: by what both hand on to the layers behind
// them.
struct HintSpec {
  std::string layer;
  std::string of;       // the teacher's; "": of the same name
  double weight = 100;  // of its term in the loss
  static constexpr std::string_view kShorthand = "layer";
  const std::string& teachers() const { return of.empty() ? layer : of; }
  void fields(Fields& f);
};

struct DistillSpec {
  std::string teacher;     // a run folder or weights file; or a config (*.json), which the run then trains first
  double temperature = 4;  // that both networks' scores are divided by
  double alpha = 0.9;      // the teacher's share of the loss; the labels have the rest
  std::vector<HintSpec> hints;
  void fields(Fields& f);
};

// Bits that are lowered while accuracy holds (train/adaptive.h).
struct AdaptiveSpec {
  enum class Per : uint8_t { network, layer };
  double target_accuracy = 0.95;  // of the validation split
  Per per = Per::network;
  int64_t start = 8, lowest = 2, patience = 2;
  void fields(Fields& f);
};
template <>
struct Words<AdaptiveSpec::Per> {
  static constexpr std::string_view list[] = {"network", "layer"};
};

// A share of the weights of each layer that is put on its grid and stays there (train/incremental.h).
struct IncrementalSpec {
  enum class By : uint8_t { magnitude, random };
  double share = 0.5;
  By by = By::magnitude;
  void fields(Fields& f);
};
template <>
struct Words<IncrementalSpec::By> {
  static constexpr std::string_view list[] = {"magnitude", "random"};
};

// How a network is trained: said by the top level for all phases, and by a phase for itself.
struct Stage {
  Precision precision;
  TrainSpec train;
  std::vector<std::string> trainable{"*"};  // layers whose parameters move; others stay as they are
  std::optional<DistillSpec> distill;
  std::optional<AdaptiveSpec> adaptive;
  std::optional<IncrementalSpec> incremental;
  std::optional<PruneSpec> prune;  // which weights go (train/pruning.h)
  void fields(Fields& f);
};

// One phase of a run, complete: the top level with the phase's own values merged over it.
struct PhaseSpec : Stage {
  std::string name;
  bool keep = false;  // keep the optimizer's state from the phase before
  void fields(Fields& f);
};

// How AdaRound learns which of its two neighbours on the grid each weight becomes.   Source: Nagel et al. 2020
struct AdaRoundSpec {
  int64_t steps = 500;
  double lr = 0.01;
  double regularization = 0.01;
  void fields(Fields& f);
};

// Post-training quantization of the network that init_from holds, before the first phase (train/ptq.h).
struct PtqSpec {
  int64_t calibrate = 512;
  bool correct_bias = false;
  std::optional<AdaRoundSpec> adaround;
  void fields(Fields& f);
};

struct RunConfig : Stage {
  std::string name = "run";
  std::string description;
  std::string expected;  // what a run of this config reaches, for people
  ModelSpec model;
  DatasetSpec dataset;
  Compute compute = Compute::f32;
  std::string init_from;          // weights to start from: a run folder or a .safetensors file; empty: random
  Rewritings rewrite;             // of the network that init_from holds, one after the other; then it is the model
  std::optional<PtqSpec> ptq;     // likewise, after these
  bool numerics = false;          // count what happens to the numbers of training (train/numerics.h)
  std::vector<PhaseSpec> phases;  // at least one; without "phases" in the file it is the top level itself

  void fields(Fields& f);  // of the top level, without phases
  DType dtype() const { return compute == Compute::f64 ? DType::f64 : DType::f32; }
  bool begins_rewritten() const { return ptq || !rewrite.empty(); }
  Document document;  // what it was read from, merged and complete: config.json of the run folder
  Document source;    // as it was written, with places
  // "configs/a.json:14:7": where the config says, or could say, what a phase has under that path, in itself or at the top.
  std::string origin(size_t phase, const std::string& path) const;
};

// Reads a run config: unknown keys, wrong values and impossible combinations are reported all at once (DocumentError), with
// file:line:column. `assignments` are "--set" texts, applied to the top level; one that changes nothing is an error
// (refuse_hidden). A sweep is refused, and `sweep` named.
RunConfig read_config(Document document, std::span<const std::string> assignments = {});
// The same for an assignment that is not a text of --set: throws Error(usage) if it changes nothing in the document, in which it
// stands already, because every phase sets the path for itself, or the model has its layers from elsewhere. `what` says whose
// assignment it is: "--set train.epochs=3".
void refuse_hidden(const Document& document, const std::string& path, const std::string& what);
// The model of a phase, newly made; the layers of every phase's precision are looked for. Throws Error(usage); what is wrong with
// the precision is told with its place (DocumentError).
Model made_model(const RunConfig& config, const PhaseSpec& phase, const Shape& input, int64_t classes);
// The config of what is there when a phase ends: its phases up to that one, with the precision that it found.
RunConfig config_through(const RunConfig& config, size_t phase, const Precision& precision);
// What reads back as the same config, without the values at their default.
Document compact(const RunConfig& config);
RunConfig load_config(const std::filesystem::path& file, std::span<const std::string> assignments = {});

}  // namespace lp

// Post-training quantization of a run: the config of what comes out, and what became of accuracy and tensors.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/scores.h"

namespace lp {

// A quantizer whose scale is measured on the very tensor, with that measurement made once, in calibration: absmax and pow2 keep
// the widest extent of all batches ("widest"), others their average ("ema" of the rule). Others, and those with a scale for each
// example or block, stay as they are.
Quantizer observed_once(const Quantizer& q);

// The config of a network quantized after training: begun_from the run, with assignments (--set) applied. Activations and the
// network's input are observed_once; so are weights, if they are rounded by AdaRound. Throws Error(usage) if nothing is quantized
// then.
RunConfig quantized_config(const std::string& run, const PtqSpec& ptq, const Rewritings& rewrite,
                           const std::vector<std::string>& assignments);

// A layer beside its twin in the network before: SQNR in dB, null if nothing is lost.
struct QuantizedLayer {
  std::string layer, weights, activations;                // formats
  std::optional<double> weights_db, input_db, output_db;  // input and output carry what the layers before it lost
  void fields(Fields& f);
};

struct QuantizedRun : ScoreChange {
  std::string status = "finished", run, source;
  std::vector<QuantizedLayer> layers;
  void fields(Fields& f);
  std::string text() const;  // a table of layers, and one of accuracies
};
// Measures both.
QuantizedRun compare_quantized(const std::string& source, const std::string& run, const std::string& data);

}  // namespace lp

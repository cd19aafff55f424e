// Scales and biases of a trained network, measured on examples: what post-training quantization has in place of training.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "lptrain/data/dataset.h"
#include "lptrain/nn/model.h"

namespace lp {

// So many training examples (all, if there are fewer), in an order that follows from the seed, as inputs of a network: batches of
// at most 32. Nothing is augmented.
std::vector<Tensor> calibration_batches(const Dataset& data, int64_t examples, uint64_t seed);

// Gives a value to every scale that is observed (rules "ema", "widest" ...) or learned: of parameters as they are, of input and
// activations as they flow through `reals`, a twin of the model without quantizers, batch after batch. Scales that are measured
// on the very tensor, or fixed, need none. Scales of errors keep what they have.
void calibrate(Model& model, Model& reals, std::span<const Tensor> batches);

// Empirical bias correction: layer after layer, what quantization does to the mean of each output channel is taken out of the
// bias.
//   b_o += E[(w * x)_o] - E[(w_q * x_q)_o]
// x_q is the input as the quantized network sees it, with the layers before it corrected. As products are linear, the means of
// inputs tell those of outputs. Lines for people.   Source: Nagel et al. 2019, section 4.2
std::vector<std::string> correct_bias(Model& model, Model& reals, std::span<const Tensor> batches);

// How far a layer with a product is from its twin, as signal-to-quantization-noise ratios in dB (infinite: not at all). Input and
// output carry what the layers before it lost.
struct LayerNoise {
  std::string layer;
  double weights_db = 0, input_db = 0, output_db = 0;
};
std::vector<LayerNoise> noise_by_layer(Model& model, Model& reals, std::span<const Tensor> batches);

}  // namespace lp

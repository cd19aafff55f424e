// The table of layers.
#include "layers.h"

#include "lptrain/grad/activation.h"

namespace lp {
namespace {

constexpr ChoiceRow<Layer> kRows[] = {
    choice_row<Layer, LinearLayer>("linear", "y = W x + b over the last axis: [..., I] -> [..., out]"),
    choice_row<Layer, Conv2dLayer>(
        "conv2d", "2-D convolution: [H,W,C] -> [OH,OW,out], OH = (H + 2 pad - dilation (kernel - 1) - 1) / stride + 1"),
    choice_row<Layer, MaxPool2dLayer>("max_pool2d",
                                      "largest of each window: [H,W,C] -> [OH,OW,C], OH = (H + 2 pad - kernel) / stride + 1"),
    choice_row<Layer, AvgPool2dLayer>("avg_pool2d", "mean of each window, padding not counted; shapes as max_pool2d"),
    choice_row<Layer, GlobalAvgPoolLayer>("global_avg_pool", "mean over height and width: [H,W,C] -> [C]"),
    choice_row<Layer, BatchNormLayer>(
        "batch_norm",
        "(x - mean) / sqrt(var + eps) gamma + beta per channel, statistics of the batch; running ones in evaluation"),
    choice_row<Layer, LayerNormLayer>("layer_norm", "(x - mean) / sqrt(var + eps) gamma + beta, statistics over the last axis"),
    choice_row<Layer, FunctionLayer<softmax>>("softmax", "e^x / sum e^x over the last axis"),
    choice_row<Layer, FunctionLayer<log_softmax>>("log_softmax", "log(softmax(x))"),
    choice_row<Layer, DropoutLayer>("dropout", "in training, zero with probability `rate`, else x / (1 - rate)"),
    choice_row<Layer, EmbeddingLayer>("embedding", "row x of a trained table, for whole numbers x: [...] -> [..., dim]"),
    choice_row<Layer, RnnLayer>("rnn", "h_t = tanh(W x_t + b + U h_(t-1)): [T,C] -> [out], or [T,out]   Source: Elman 1990"),
    choice_row<Layer, LstmLayer>("lstm",
                                 "long short-term memory, gates i f g o: [T,C] -> [out], or [T,out]   Source: Gers et al. 2000"),
    choice_row<Layer, GruLayer>(
        "gru",
        "gated recurrent unit, gates r z n, the reset behind its product: [T,C] -> [out], or [T,out]   Source: Cho et al. 2014"),
    choice_row<Layer, AttentionLayer>(
        "attention",
        "every step sees all: softmax(q k^T / sqrt(d)) v by heads, then a product: [T,C] -> [T,C]   Source: Vaswani et al. 2017"),
    choice_row<Layer, PositionsLayer>("positions", "x plus a trained vector for each step: [T,C] -> [T,C]"),
    choice_row<Layer, FlattenLayer>("flatten", "[H,W,C] -> [H W C]"),
    choice_row<Layer, ReshapeLayer>("reshape", "the same numbers in another shape"),
    choice_row<Layer, PermuteLayer>("permute", "axes in another order"),
    choice_row<Layer, SliceLayer>("slice", "a part of one axis: begin, begin + step ... below end"),
    choice_row<Layer, SubsampleLayer>("subsample",
                                      "every stride-th row and column: [H,W,C] -> [ceil(H / stride), ceil(W / stride), C]"),
    choice_row<Layer, PadChannelsLayer>("pad_channels", "zeros behind the last axis: [..., C] -> [..., to]"),
    choice_row<Layer, SequentialLayer>("sequential", "layers one after the other; with a name, a level of names"),
    choice_row<Layer, RepeatLayer>("repeat", "the same layers `times` times, with parameters of their own"),
    choice_row<Layer, ResidualLayer>("residual", "layers(x) + shortcut(x)   Source: He et al. 2016"),
    choice_row<Layer, BranchLayer>("branch", "paths side by side, joined along the last axis"),
};

std::vector<ChoiceRow<Layer>> all_rows() {
  std::vector<ChoiceRow<Layer>> rows(std::begin(kRows), std::end(kRows));
  for_each_activation([&]<class A>() { rows.push_back(choice_row<Layer, ActivationLayer<A>>(A::name, A::doc)); });
  return rows;
}

}  // namespace

template <>
std::span<const ChoiceRow<Layer>> choices<Layer>() {
  static const std::vector<ChoiceRow<Layer>> kAll = all_rows();
  return kAll;
}

}  // namespace lp

// The descriptions of all layers, for the table in layers.cpp. Shapes are those of one example; activations are [H,W,C].
#pragma once
#include <optional>

#include "lptrain/nn/layer.h"

namespace lp {

template <class T>
struct LayerOf : Layer {
  std::unique_ptr<Layer> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
};

// A module that is a function f(Context&, const Var& x) and holds nothing.
template <class F>
std::unique_ptr<Module> module_of(F f) {
  struct Function : Module {
    F f;
    explicit Function(F function) : f(std::move(function)) {}
    Var forward(Context& c, const Var& x) override { return f(c, x); }
  };
  return std::make_unique<Function>(std::move(f));
}

// A layer that holds nothing: Var apply(const Var& x) const, with x[N, ...].
template <class T>
struct Stateless : LayerOf<T> {
  std::unique_ptr<Module> build(Builder&, const std::string&, const Shape&) const override {
    return module_of([layer = static_cast<const T&>(*this)](Context&, const Var& x) { return layer.apply(x); });
  }
};

// Height and width: 3, or {"h": 3, "w": 5}.
struct Size2d {
  int64_t size;
  std::optional<int64_t> h, w;
  int64_t height() const { return h.value_or(size); }
  int64_t width() const { return w.value_or(size); }
  static constexpr std::string_view kShorthand = "size";
  void fields(Fields& f);
};

// [H,W,C] or an error that says what to do.
void require_image(const Shape& input);

// ---- linear.cpp, conv2d.cpp: products with weights
struct LinearLayer : LayerOf<LinearLayer> {
  std::optional<int64_t> out;
  bool bias = true, standardize = false;
  std::string tied_to;
  void fields(Fields& f) override;
  std::string_view label() const override { return "fc"; }
  Shape output(const Shape& input, int64_t classes) const override;
  int64_t macs(const Shape& input, int64_t classes) const override;
  std::optional<ConvShape> product(const Shape& input, int64_t classes) const override;
  std::string tied() const override { return tied_to; }
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};

struct Conv2dLayer : LayerOf<Conv2dLayer> {
  std::optional<int64_t> out;
  Size2d kernel{3, {}, {}}, stride{1, {}, {}}, pad{0, {}, {}}, dilation{1, {}, {}};
  int64_t groups = 1;
  bool depthwise = false, bias = true, standardize = false;
  void fields(Fields& f) override;
  std::string_view label() const override { return "conv"; }
  Shape output(const Shape& input, int64_t classes) const override;
  int64_t macs(const Shape& input, int64_t classes) const override;
  std::optional<ConvShape> product(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;

 private:
  int64_t groups_for(const Shape& input) const { return depthwise ? input.back() : groups; }
  int64_t out_for(const Shape& input) const { return out.value_or(input.back()); }
};

struct BatchNormModule;

// What both are built of (product.cpp): a lens at the input, weights [O, ...], optionally biases [O], and a lens for the errors.
// A batch norm right behind may be folded in: then the product's weights are gain w, its biases gain b + shift, and the lenses
// see these.   Source: Jacob et al. 2018, section 3.2
// Weights may be standardized before their lens sees them, as those behind each output o:
//   w_o := (w_o - mean) / sqrt(variance + 1e-10) sqrt(2 / n),   over its n numbers
//   Source: Qiao et al. 2019 (Weight Standardization), eq. 4-5; the factor, which a normalization behind it does not notice, is
//   He's, so that the variance stays without one
struct ProductModule : Module {
  // Weights start uniform in +-bound; 0: with variance 2 / fan-in.
  ProductModule(Builder& b, const std::string& layer, const Shape& weight, bool has_bias, double bound = 0);
  ProductModule(Builder& b, const std::string& layer, Param& tied, bool has_bias);  // with weights of another layer
  ~ProductModule() override;
  void visit(Visitor& v) override;
  Lens* input_lens() override { return &input; }
  virtual Var product(const Var& x, const Var& w, const Var& b) const = 0;  // in full precision

  struct Operands {
    Var w, b;  // b may be empty
  };
  Operands operands(Context& c, const Var& x);  // as the product with x sees them
  void fold(std::unique_ptr<BatchNormModule> behind);
  void standardize();

  std::string name;
  Accumulator accumulator;
  std::optional<Param> own;  // weights; none: they belong to another layer
  Param& weight;
  std::optional<Param> bias;
  Lens input, error;
  bool is_standardized = false;
  std::unique_ptr<BatchNormModule> norm;  // that is folded in

 private:
  Var weights_before_lens(Context& c);
};

// y = x W^T + b over the last axis; also what other layers are made of.
struct LinearModule : ProductModule {
  using ProductModule::ProductModule;
  Var product(const Var& x, const Var& w, const Var& b) const override { return linear(x, w, b); }
  Var forward(Context& c, const Var& x) override { return of_seen(c, c.look(input, x)); }
  Var of_seen(Context& c, const Var& x);  // x has been looked at
};
// A linear layer inside another, below its name, with a line of its own: rows of `in` become rows of `out`, `times` times.
struct InnerLinear {
  int64_t rows, in, out;
  bool bias = true;
  double bound = 0;  // of the weights at the start; 0: as linear layers have it
  int64_t times = 1;
};
std::unique_ptr<LinearModule> inner_linear(Builder& b, const std::string& name, const InnerLinear& shape);

// ---- attention.cpp
struct AttentionLayer : LayerOf<AttentionLayer> {
  int64_t heads = 1;
  bool causal = false, bias = true;
  void fields(Fields& f) override;
  std::string_view label() const override { return "attention"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct PositionsLayer : LayerOf<PositionsLayer> {
  void fields(Fields& f) override;
  std::string_view label() const override { return "positions"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};

// ---- recurrent.cpp: a state that goes from step to step, [T,C] -> [H] or [T,H]
enum class Steps : uint8_t { last, all };
template <>
struct Words<Steps> {
  static constexpr std::string_view list[] = {"last", "all"};
};
enum class Direction : uint8_t { forward, backward, both };
template <>
struct Words<Direction> {
  static constexpr std::string_view list[] = {"forward", "backward", "both"};
};
struct Cell;
struct RecurrentLayer {
  int64_t out = 0;
  Steps steps = Steps::last;
  Direction direction = Direction::forward;
  void recurrent_fields(Fields& f);
  Shape states(const Shape& input) const;
  std::unique_ptr<Module> module(Builder& b, const std::string& full_name, const Shape& input, const Cell& cell) const;
};
enum class Bend : uint8_t { tanh, relu };
template <>
struct Words<Bend> {
  static constexpr std::string_view list[] = {"tanh", "relu"};
};
struct RnnLayer : LayerOf<RnnLayer>, RecurrentLayer {
  Bend activation = Bend::tanh;
  void fields(Fields& f) override;
  std::string_view label() const override { return "rnn"; }
  Shape output(const Shape& input, int64_t) const override { return states(input); }
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct LstmLayer : LayerOf<LstmLayer>, RecurrentLayer {
  void fields(Fields& f) override;
  std::string_view label() const override { return "lstm"; }
  Shape output(const Shape& input, int64_t) const override { return states(input); }
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct GruLayer : LayerOf<GruLayer>, RecurrentLayer {
  void fields(Fields& f) override;
  std::string_view label() const override { return "gru"; }
  Shape output(const Shape& input, int64_t) const override { return states(input); }
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};

// ---- pool.cpp
struct Pool2dLayer {
  Size2d kernel{2, {}, {}}, pad{0, {}, {}};
  std::optional<Size2d> stride;
  void pool_fields(Fields& f);
  Pool2d how() const;
  Shape pooled(const Shape& input) const;
};
struct MaxPool2dLayer : Stateless<MaxPool2dLayer>, Pool2dLayer {
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t) const override { return pooled(input); }
  Var apply(const Var& x) const { return max_pool2d(x, how()); }
};
struct AvgPool2dLayer : Stateless<AvgPool2dLayer>, Pool2dLayer {
  void fields(Fields& f) override { pool_fields(f); }
  Shape output(const Shape& input, int64_t) const override { return pooled(input); }
  Var apply(const Var& x) const { return avg_pool2d(x, how()); }
};
struct GlobalAvgPoolLayer : Stateless<GlobalAvgPoolLayer> {
  Shape output(const Shape& input, int64_t) const override;
  Var apply(const Var& x) const { return global_avg_pool(x); }
};

// ---- norm.cpp
// Which statistics a batch norm folds into the product before it while training: none (it stays a layer), those of the batch,
// with their gradient, or the running ones, which count as constants (Jacob et al. 2018, eq. 14).
enum class Folding : uint8_t { none, batch, running };
template <>
struct Words<Folding> {
  static constexpr std::string_view list[] = {"none", "batch", "running"};
};
struct BatchNormLayer : LayerOf<BatchNormLayer> {
  double momentum = 0.1, eps = 1e-5;
  Folding fold = Folding::none;
  void fields(Fields& f) override;
  std::string_view label() const override { return "bn"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct BatchNormModule : Module {
  BatchNormModule(std::string full_name, Param g, Param b, const BatchNormLayer& layer);
  Neighbours* neighbours() override { return &behind; }
  Var forward(Context& c, const Var& x) override;
  void visit(Visitor& v) override;

  // batch_norm(y) = gain y + shift, per channel.
  struct Affine {
    Var gain, shift;
  };
  // With the statistics that the layer names: of y, if it is a batch's; y is asked for only in training.
  Affine affine(Context& c, const std::function<Var()>& y);

  std::string name;
  Param gamma, beta;
  Tensor mean, variance;  // running averages; those of the variance are unbiased
  BatchNormLayer how;
  Neighbours behind;

 private:
  Var by_batch(Context& c, const Var& x, const BlockNeighbours& steps);
  void update(Context& c, const Tensor& batch_mean, const Tensor& batch_variance);
};
struct LayerNormLayer : LayerOf<LayerNormLayer> {
  double eps = 1e-5;
  void fields(Fields& f) override;
  std::string_view label() const override { return "ln"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};

// ---- lookup.cpp: embedding and dropout
struct EmbeddingLayer : LayerOf<EmbeddingLayer> {
  int64_t vocabulary = 0, dim = 0;
  void fields(Fields& f) override;
  std::string_view label() const override { return "embedding"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct DropoutLayer : LayerOf<DropoutLayer> {
  double rate = 0.5;
  void fields(Fields& f) override;
  std::string_view label() const override { return "dropout"; }
  Shape output(const Shape& input, int64_t) const override { return input; }
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};

// ---- move.cpp: layers that move elements or cut some away
struct FlattenLayer : Stateless<FlattenLayer> {
  Shape output(const Shape& input, int64_t) const override { return {input.size()}; }
  Var apply(const Var& x) const { return lp::reshape(x, {x.shape()[0], x.shape().after(0)}); }
};
struct ReshapeLayer : LayerOf<ReshapeLayer> {
  std::vector<int64_t> shape;
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct PermuteLayer : Stateless<PermuteLayer> {
  std::vector<int> order;
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override;
  Var apply(const Var& x) const;
};
struct SliceLayer : Stateless<SliceLayer> {
  int axis = 0;
  int64_t begin = 0, step = 1;
  std::optional<int64_t> end;
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override;
  Var apply(const Var& x) const;
};
struct SubsampleLayer : Stateless<SubsampleLayer> {
  Size2d stride{2, {}, {}};
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override;
  Var apply(const Var& x) const;
};
struct PadChannelsLayer : Stateless<PadChannelsLayer> {
  int64_t to = 1;
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override;
  Var apply(const Var& x) const { return lp::pad(x, -1, 0, to - x.shape().back()); }
};

// ---- combine.cpp: layers made of layers
struct SequentialLayer : LayerOf<SequentialLayer> {
  Layers layers;
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override { return output_of(layers, input, classes); }
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct RepeatLayer : LayerOf<RepeatLayer> {
  int64_t times = 1;
  Layers layers;
  void fields(Fields& f) override;
  Shape output(const Shape& input, int64_t classes) const override { return output_of(unrolled(), input, classes); }
  std::unique_ptr<Module> build(Builder& b, const std::string&, const Shape& input) const override {
    return build_chain(unrolled(), b, input);
  }

 private:
  Layers unrolled() const;
};
struct ResidualLayer : LayerOf<ResidualLayer> {
  Layers layers, shortcut;
  void fields(Fields& f) override;
  std::string_view label() const override { return "block"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};
struct BranchLayer : LayerOf<BranchLayer> {
  std::vector<Layers> paths;
  void fields(Fields& f) override;
  std::string_view label() const override { return "branch"; }
  Shape output(const Shape& input, int64_t classes) const override;
  std::unique_ptr<Module> build(Builder& b, const std::string& full_name, const Shape& input) const override;
};

// ---- functions of the elements, and distributions over the last axis
template <class A>
struct ActivationLayer : Stateless<ActivationLayer<A>> {
  A activation;
  void fields(Fields& f) override {
    if constexpr (requires { activation.fields(f); }) activation.fields(f);
  }
  Shape output(const Shape& input, int64_t) const override { return input; }
  Var apply(const Var& x) const { return activate(activation, x); }
};
template <Var (*kFunction)(const Var&)>
struct FunctionLayer : Stateless<FunctionLayer<kFunction>> {
  Shape output(const Shape& input, int64_t) const override { return input; }
  Var apply(const Var& x) const { return kFunction(x); }
};

}  // namespace lp

// What a network is made of when it is written down: layer descriptions, read from JSON, that infer shapes and build modules.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/kernel/product.h"
#include "lptrain/nn/module.h"

namespace lp {

// Multiplications of one layer for one example, and its parameters.
struct Cost {
  int64_t macs = 0;
  int64_t params = 0;
};

// A layer as it was built: one line of `summary`.
struct LayerLine {
  std::string name, kind;                 // the name is empty for layers that hold nothing
  Shape output;                           // of one example
  Cost cost;                              // without the layers inside it, which have lines of their own
  std::optional<ConvShape> product = {};  // what it multiplies for one example, if it has weights; of a linear layer N rows of C
  std::string tied = {};                  // the layer whose weights it multiplies with; "": its own
  const std::string& owner() const { return tied.empty() ? name : tied; }  // of its weights
};

// Does what enters the network reach line i through layers that only move elements, so with the codes that it has?
bool sees_input(std::span<const LayerLine> lines, size_t i);

// What building a model knows. Names parameters and lenses, initializes them, and notes what was built.
class Builder {
 public:
  Builder(const Precision& precision, int64_t classes, DType compute, Key seed)
      : precision_(precision), classes_(classes), compute_(compute), seed_(seed) {}

  int64_t classes() const { return classes_; }
  DType compute() const { return compute_; }
  // A full, unique layer name: the given one, or label1, label2 ... in order, below the scopes that are open
  // ("block1.conv2"); "" if both are empty.
  std::string name(const std::string& given, std::string_view label);
  struct Scope {  // while it lives, names start with the (full) name n; "": nothing changes
    Scope(Builder& b, const std::string& n);
    ~Scope() { builder.scope_ = outer; }
    Builder& builder;
    std::string outer;
  };

  // Initial values are uniform in +-bound, a function of (seed, name) alone.
  Param weight(const std::string& layer, Shape shape, double bound);  // role weights, channels along axis 0
  Param bias(const std::string& layer, int64_t size);                 // role biases, zeros, no decay
  Param plain(const std::string& name, Shape shape, double value);    // norm gains and shifts: constant, no role, no decay
  // "<layer>.<place>": channels along the last axis. By default the place is "input", or "error" of errors.
  Lens lens(const std::string& layer, Role role, std::string_view place = "");
  // Weights that later layers may be tied to, under the name of their layer; they must stay where they are.
  void share(const std::string& layer, Param& weight) { shared_[layer] = &weight; }
  Param& shared(const std::string& layer, const Shape& wanted) const;  // Error(usage) if there are none, or of another shape
  void may_be_named(const std::string& layer) { layers_.push_back(layer); }  // by overrides, though it has no weights of its own

  Accumulator accumulator(const std::string& layer) const { return precision_.accumulator_of(layer); }

  // A line of summary; the parameters made since the last note are this layer's.
  void note(std::string name, std::string kind, const Shape& output, int64_t macs, std::optional<ConvShape> product = {},
            std::string tied = "");
  const std::vector<std::string>& layers() const { return layers_; }  // with lenses, in order: what overrides may name
  const std::vector<LayerLine>& lines() const { return lines_; }

 private:
  Param counted(Param p);

  const Precision& precision_;
  int64_t classes_;
  DType compute_;
  Key seed_;
  std::string scope_;
  std::map<std::string, int> counts_;  // of automatic names
  std::set<std::string> names_;
  int64_t params_ = 0;
  std::vector<std::string> layers_;
  std::vector<LayerLine> lines_;
  std::map<std::string, Param*> shared_;
};

// A layer as written: {"conv2d": {"out": 32, "kernel": 3}} or "relu". A description in src/nn/layers.h, its code in one file, one
// row in src/nn/layers.cpp. The doc text of the row is its contract: what comes out of x, and in which shape.
struct Layer {
  std::string name;  // as given; empty: label and number
  virtual ~Layer() = default;
  virtual std::unique_ptr<Layer> clone() const = 0;
  virtual void fields(Fields& f) { (void)f; }            // its own fields; `name` too for layers that hold something
  virtual std::string_view label() const { return ""; }  // of automatic names: "conv" gives conv1, conv2 ...; "": it needs none
  // The shape of one example behind the layer, given the one before it ([H,W,C] or [F]). Throws Error(usage) saying found and
  // wanted.
  virtual Shape output(const Shape& input, int64_t classes) const = 0;
  virtual int64_t macs(const Shape& input, int64_t classes) const {
    (void)input, (void)classes;
    return 0;
  }
  virtual std::optional<ConvShape> product(const Shape& input, int64_t classes) const {
    (void)input, (void)classes;
    return {};
  }
  virtual std::string tied() const { return ""; }  // the layer whose weights it uses, by its full name
  // `name` is the full one; output(input) did not throw.
  virtual std::unique_ptr<Module> build(Builder& b, const std::string& name, const Shape& input) const = 0;
};
template <>
std::span<const ChoiceRow<Layer>> choices<Layer>();

using Layers = std::vector<Choice<Layer>>;
// A chain. Errors name the layer's place: layer 3 (conv2d "conv2"): ...
Shape output_of(const Layers& layers, const Shape& input, int64_t classes);
std::unique_ptr<Module> build_chain(const Layers& layers, Builder& b, const Shape& input);

}  // namespace lp

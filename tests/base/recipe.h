// A small recipe with every kind of field: what the tests of self-describing structs read and write.
#pragma once
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/base/document.h"
#include "lptrain/base/fields.h"

namespace recipe {

enum class Loss { cross_entropy, mse };

// A type spelled as text: "int8".
struct Bits {
  int bits = 8;
  static Bits parse(std::string_view text) {
    Bits b;
    const char* end = text.data() + text.size();
    lp::require(text.starts_with("int"), "unknown format \"{}\"; write int<N>", text);
    const auto [stop, error] = std::from_chars(text.data() + 3, end, b.bits);
    lp::require(error == std::errc() && stop == end && b.bits > 0, "unknown format \"{}\"; write int<N>", text);
    return b;
  }
  std::string name() const { return "int" + std::to_string(bits); }
  static std::vector<std::string> known() { return {"int8", "int4"}; }
};

struct Optimizer {
  virtual ~Optimizer() = default;
  virtual void fields(lp::Fields& f) = 0;
  virtual std::unique_ptr<Optimizer> clone() const = 0;
};
struct Sgd : Optimizer {
  double lr = 0.1, momentum = 0.9;
  void fields(lp::Fields& f) override {
    f("lr", lr, "step size", {0});
    f("momentum", momentum, "share of the last step that is kept", {0, 1});
    f.claim(momentum < 1 || lr < 1, "momentum 1 needs a small lr");
  }
  std::unique_ptr<Optimizer> clone() const override { return std::make_unique<Sgd>(*this); }
};
struct Adam : Optimizer {
  float lr = 0.001f;
  void fields(lp::Fields& f) override { f("lr", lr, "step size", {0}); }
  std::unique_ptr<Optimizer> clone() const override { return std::make_unique<Adam>(*this); }
};

struct Layer {
  virtual ~Layer() = default;
  virtual void fields(lp::Fields& f) = 0;
  virtual std::unique_ptr<Layer> clone() const = 0;
};
struct Linear : Layer {
  int out = 10;
  void fields(lp::Fields& f) override { f("out", out, "outputs", {1}); }
  std::unique_ptr<Layer> clone() const override { return std::make_unique<Linear>(*this); }
};
struct Relu : Layer {
  void fields(lp::Fields&) override {}
  std::unique_ptr<Layer> clone() const override { return std::make_unique<Relu>(*this); }
};
struct Block : Layer {
  std::vector<lp::Choice<Layer>> layers;
  void fields(lp::Fields& f) override { f("layers", layers, "inside"); }
  std::unique_ptr<Layer> clone() const override { return std::make_unique<Block>(*this); }
};

}  // namespace recipe

namespace lp {
template <>
struct Words<recipe::Loss> {
  static constexpr std::string_view list[] = {"cross_entropy", "mse"};
};
template <>
inline std::span<const ChoiceRow<recipe::Optimizer>> choices<recipe::Optimizer>() {
  static constexpr ChoiceRow<recipe::Optimizer> rows[] = {
      choice_row<recipe::Optimizer, recipe::Sgd>("sgd", "gradient descent"),
      choice_row<recipe::Optimizer, recipe::Adam>("adam", "with second moments"),
  };
  return rows;
}
template <>
inline std::span<const ChoiceRow<recipe::Layer>> choices<recipe::Layer>() {
  static constexpr ChoiceRow<recipe::Layer> rows[] = {
      choice_row<recipe::Layer, recipe::Linear>("linear", "y = w x + b"),
      choice_row<recipe::Layer, recipe::Relu>("relu", "max(x, 0)"),
      choice_row<recipe::Layer, recipe::Block>("block", "layers in layers"),
  };
  return rows;
}
}  // namespace lp

namespace recipe {

struct Quantizer {
  Bits format;
  bool narrow = false;
  static constexpr std::string_view kShorthand = "format";
  void fields(lp::Fields& f) {
    f("format", format, "number format");
    f("narrow", narrow, "leave out the lowest code");
  }
};

struct Train {
  int epochs = 4;
  uint8_t batch = 64;
  float decay = 0.1f;
  Loss loss = Loss::cross_entropy;
  lp::Choice<Optimizer> optimizer{"sgd"};
  void fields(lp::Fields& f) {
    f("epochs", epochs, "passes over the data", {1});
    f("batch", batch, "examples a step", {1});
    f("decay", decay, "weight decay", {0, 1});
    f("loss", loss, "what is minimized");
    f("optimizer", optimizer, "how weights move");
    f.claim(epochs < 1000 || batch > 1, "1000 epochs of single examples never end");
  }
};

struct Recipe {
  std::string name = "run";
  Train train;
  Quantizer weights;
  lp::Dictionary<Quantizer> overrides;
  std::vector<lp::Choice<Layer>> layers;
  std::vector<int> size{28, 28};
  std::optional<double> clip;
  int64_t seed = 1;
  void fields(lp::Fields& f) {
    f("name", name, "of the run");
    f("train", train, "how it is trained");
    f("weights", weights, "format of weights");
    f("overrides", overrides, "other formats by layer");
    f("layers", layers, "the network");
    f("size", size, "of images", {2, 3});
    f("clip", clip, "largest gradient", {0});
    f("seed", seed, "of all randomness");
  }
};

inline Recipe read(std::string_view text) {
  Recipe r;
  lp::read(lp::Document::parse(text, "a.json"), r);
  return r;
}

// One with every field away from its default.
inline Recipe unusual() {
  return read(R"({
    "name": "größe \"x\"\n",
    "train": {"epochs": 7, "batch": 32, "decay": 0.3, "loss": "mse", "optimizer": {"adam": {"lr": 0.01}}},
    "weights": {"format": "int4", "narrow": true}, "overrides": {"conv1.*": "int2", "fc": {"narrow": true}, "*": {}},
    "layers": [{"linear": {"out": 3}}, "relu", {"block": {"layers": ["relu", {"linear": {}}, {"block": {"layers": []}}]}}],
    "size": [3, 4, 5], "clip": 0.5, "seed": 9007199254740993
  })");
}

}  // namespace recipe

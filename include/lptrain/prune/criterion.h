// Criteria of pruning: which weights matter least.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/base/random.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// What is known of a layer's weights when it is decided which of them go.
struct Evidence {
  Tensor w;           // [O, ...], f32 or f64
  Tensor mask = {};   // 0 where a weight went before, else 1; of w's shape and type; empty: none did
  Tensor heard = {};  // what hear() added up, likewise; empty: nothing yet
  Tensor gain = {};   // [O], of the batch norm right behind the layer; empty: there is none
  Key key = {};       // of whatever is random
};

// How the scores of weights that go together become one.
enum class Pooling : uint8_t { mean, sum, root_of_squares };

// {"standardized": {"theta": 0.5}}. Implementations stand in src/prune/criterion.cpp.
struct Criterion {
  virtual ~Criterion() = default;
  virtual std::unique_ptr<Criterion> clone() const = 0;
  virtual void fields(Fields&) {}
  // A number for every weight; those with the least go first.
  virtual std::vector<double> scores(const Evidence& e) const = 0;
  virtual Pooling pooling() const { return Pooling::mean; }
  // Some criteria say themselves how many go: all whose score is below this.
  virtual std::optional<double> below() const { return {}; }
  // Some listen to training: before each step hear() adds to `sum`, of w's shape, what weights and gradients say. Only once they
  // have heard something can they judge.
  virtual bool listens() const { return false; }
  virtual void hear(const Tensor& w, const Tensor& dw, Tensor& sum) const { (void)w, (void)dw, (void)sum; }
  virtual bool needs_norm() const { return false; }  // a batch norm behind every layer
  // Nothing but comparisons (and sums) of weights: what integer-only training can do.
  virtual bool only_compares() const { return false; }
};
template <>
std::span<const ChoiceRow<Criterion>> choices<Criterion>();

}  // namespace lp

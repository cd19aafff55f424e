// Embedding of tokens, and dropout.
#include <cmath>

#include "layers.h"

namespace lp {
namespace {

// Whole numbers 0..vocabulary-1 out of reals.
std::vector<int32_t> tokens_of(const Tensor& x, int64_t vocabulary, const std::string& name) {
  std::vector<int32_t> tokens(static_cast<size_t>(x.size()));
  visit_real(x.dtype(), [&]<class T>() {
    const auto reals = x.data<T>();
    for (size_t i = 0; i < tokens.size(); ++i) {
      const double token = static_cast<double>(reals[i]);
      if (!(token >= 0 && token < static_cast<double>(vocabulary) && token == std::floor(token)))
        fail(ErrorKind::data, "{}: token {} at position {} of the batch; wanted whole numbers 0..{}", name, token, i,
             vocabulary - 1);
      tokens[i] = static_cast<int32_t>(token);
    }
  });
  return tokens;
}

struct EmbeddingModule : Module {
  std::string name;
  Param table;
  int64_t vocabulary;
  EmbeddingModule(std::string n, Param t) : name(std::move(n)), table(std::move(t)), vocabulary(table.value.shape()[0]) {}
  Var forward(Context& c, const Var& x) override {
    return embedding(c.param(table), tokens_of(x.tensor(), vocabulary, name), x.shape());
  }
  void visit(Visitor& v) override { lp::visit(table, v); }
};

}  // namespace

void EmbeddingLayer::fields(Fields& f) {
  f("name", name, "layer name; by default embedding1, embedding2 ...");
  f("vocabulary", vocabulary, "number of tokens: the input holds 0 .. vocabulary - 1",
    {0, 16777216});  // whole numbers that f32 holds
  f("dim", dim, "length of a token's vector", {0, 1e6});
  f.claim(vocabulary >= 1 && dim >= 1, "\"vocabulary\" and \"dim\" are wanted, each at least 1");
}

Shape EmbeddingLayer::output(const Shape& input, int64_t) const {
  require(input.rank() + 2 <= Shape::kMaxRank, "the input {} has too many axes", input.text());
  std::vector<int64_t> extents(input.begin(), input.end());
  extents.push_back(dim);
  return Shape(extents);
}

// Starts with variance 1 / dim, so that vectors have length 1.
std::unique_ptr<Module> EmbeddingLayer::build(Builder& b, const std::string& full_name, const Shape&) const {
  auto module = std::make_unique<EmbeddingModule>(
      full_name, b.weight(full_name, {vocabulary, dim}, std::sqrt(3.0 / static_cast<double>(dim))));
  b.share(full_name, module->table);
  return module;
}

void DropoutLayer::fields(Fields& f) {
  f("name", name, "layer name; by default dropout1, dropout2 ...");
  f("rate", rate, "probability of 0", {0, 0.999});
}

std::unique_ptr<Module> DropoutLayer::build(Builder&, const std::string& full_name, const Shape&) const {
  return module_of(
      [full_name, p = rate](Context& c, const Var& x) { return c.is_training() ? dropout(x, p, c.noise(full_name)) : x; });
}

}  // namespace lp

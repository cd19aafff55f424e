// Layers made of layers.
#include "layers.h"

namespace lp {
namespace {

// Several chains on the same input, and how their results become one.
struct Paths : Module {
  std::vector<std::unique_ptr<Module>> paths;
  Var (*join)(const std::vector<Var>& results);

  explicit Paths(Var (*j)(const std::vector<Var>&)) : join(j) {}
  Var forward(Context& c, const Var& x) override {
    std::vector<Var> results;
    for (const auto& path : paths) results.push_back(path->forward(c, x));
    return join(results);
  }
  void visit(Visitor& v) override {
    for (const auto& path : paths) path->visit(v);
  }
};

Var summed(const std::vector<Var>& two) { return add(two[0], two[1]); }
Var joined(const std::vector<Var>& results) { return concat(results, -1); }

constexpr std::string_view kLayersDoc = "layers, in order";

}  // namespace

void SequentialLayer::fields(Fields& f) {
  f("name", name, "opens a level of names: \"head\" gives head.fc1; by default none");
  f("layers", layers, kLayersDoc);
}

std::unique_ptr<Module> SequentialLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const Builder::Scope scope(b, full_name);
  return build_chain(layers, b, input);
}

void RepeatLayer::fields(Fields& f) {
  f("times", times, "how often", {1, 1000});
  f("layers", layers, kLayersDoc);
}

Layers RepeatLayer::unrolled() const {
  Layers all;
  for (int64_t i = 0; i < times; ++i) all.insert(all.end(), layers.begin(), layers.end());
  return all;
}

void ResidualLayer::fields(Fields& f) {
  f("name", name, "layer name, a level above those inside; by default block1, block2 ...");
  f("layers", layers, kLayersDoc);
  f("shortcut", shortcut, "layers on the way past them; by default none: x itself");
}

Shape ResidualLayer::output(const Shape& input, int64_t classes) const {
  const Shape y = output_of(layers, input, classes), past = output_of(shortcut, input, classes);
  require(y == past,
          "the layers give {}, the shortcut gives {}: they cannot be added; change \"shortcut\" (subsample, pad_channels, or a "
          "1x1 conv2d)",
          y.text(), past.text());
  return y;
}

std::unique_ptr<Module> ResidualLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const Builder::Scope scope(b, full_name);
  auto both = std::make_unique<Paths>(summed);
  both->paths.push_back(build_chain(layers, b, input));
  both->paths.push_back(build_chain(shortcut, b, input));
  return both;
}

void BranchLayer::fields(Fields& f) {
  f("name", name, "layer name, a level above those inside; by default branch1, branch2 ...");
  f("paths", paths, "lists of layers; an empty one passes x on", {1, 100});
  f.claim(!paths.empty(), "\"paths\" is missing");
}

Shape BranchLayer::output(const Shape& input, int64_t classes) const {
  std::optional<Shape> all;
  for (size_t i = 0; i < paths.size(); ++i) {
    const Shape y = output_of(paths[i], input, classes);
    if (all)
      require(y.rank() == all->rank() && y.with(-1, 1) == all->with(-1, 1),
              "path {} gives {}, the paths before it {}: they differ in more than the last axis", i + 1, y.text(), all->text());
    all = all ? all->with(-1, all->back() + y.back()) : y;
  }
  return *all;
}

std::unique_ptr<Module> BranchLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const Builder::Scope scope(b, full_name);
  auto all = std::make_unique<Paths>(joined);
  for (const Layers& path : paths) all->paths.push_back(build_chain(path, b, input));
  return all;
}

}  // namespace lp

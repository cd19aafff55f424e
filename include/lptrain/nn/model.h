// A whole network: its description (models/*.json, or inline in a config) and the built thing.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lptrain/nn/layer.h"

namespace lp {

// {"name": "cnn", "description": ..., "layers": [...]}; "cnn" alone stands for models/cnn.json.
struct ModelSpec {
  std::string name;
  std::string description;
  Layers layers;  // empty: only named, to be found

  static constexpr std::string_view kShorthand = "name";
  void fields(Fields& f);
};

// Where models are looked for: ./models, then the models/ that came with the program.
std::vector<std::filesystem::path> model_folders();
// NAME.json from the first folder that has it; NAME may also be the path of a file that ends in .json. Unknown: Error(usage) with
// a suggestion and the folders.
ModelSpec find_model(const std::string& name, const std::vector<std::filesystem::path>& folders = model_folders());
std::vector<std::string> model_names(const std::vector<std::filesystem::path>& folders = model_folders());  // sorted

class Model {
 public:
  // input: the shape of one example. A spec without layers is looked for by name. The same spec, seed and precision give the same
  // bits. Throws Error(usage): layer 3 (conv2d "conv2"): what was found and wanted; or an override that matches no layer.
  Model(const ModelSpec& spec, const Shape& input, int64_t classes, const Precision& precision, DType compute, Key seed);

  Var forward(Context& context, const Tensor& x);  // x[N, input...] -> [N, output...]; applies the lens of role input
  void visit(Visitor& v);
  void set_precision(
      const Precision& precision);  // the same parameters through other lenses (phases); unchanged lenses keep their state

  // From now on training moves the parameters of layers that match one of these globs, and no others. Throws Error(usage) on a
  // glob that matches no layer; its message begins with "trainable.<number>: ".
  void set_trainable(std::span<const std::string> globs);

  const ModelSpec& spec() const { return spec_; }  // with layers
  const Shape& input() const { return input_; }
  const Shape& output() const { return output_; }  // of one example: [classes], as a rule
  DType compute() const { return compute_; }
  const std::vector<std::string>& layers() const { return layers_; }  // with weights: what overrides may name
  const std::vector<LayerLine>& lines() const { return lines_; }
  std::vector<Param*> params();  // in visiting order; learned scales once they have a value

 private:
  ModelSpec spec_;
  Shape input_, output_;
  DType compute_;
  Lens entrance_;
  std::unique_ptr<Module> body_;
  std::vector<std::string> layers_;
  std::vector<LayerLine> lines_;
};

// The lines of a model, from a built one that is thrown away.
std::vector<LayerLine> summarize(const ModelSpec& spec, const Shape& input, int64_t classes);

}  // namespace lp

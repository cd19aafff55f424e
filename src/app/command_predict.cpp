// lptrain predict: the classes that a trained model gives to pictures or to examples of its data.
#include <algorithm>
#include <charconv>

#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/data_facts.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/files.h"
#include "lptrain/data/image.h"
#include "lptrain/data/loader.h"
#include "lptrain/nn/freeze.h"
#include "lptrain/train/metrics.h"
#include "rows.h"

namespace lp {
namespace {

constexpr int64_t kMostTop = 4096, kLargestImageFile = int64_t{1} << 28;

struct ClassShare {
  std::string name;
  double score = 0;
  void fields(Fields& f) {
    f("class", name, "name");
    f("score", score, "softmax of the logits, 0..1");
  }
};

struct Prediction {
  std::string input, label;         // label: the true class, if it is known
  std::vector<ClassShare> classes;  // highest first
  void fields(Fields& f) {
    f("input", input, "file, or example of the split");
    f("label", label, "the true class, if it is known");
    f("classes", classes, "highest score first");
  }
};

struct Predictions {
  std::string status = "finished", run;
  std::vector<Prediction> predictions;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("run", run, "the weights file");
    f("predictions", predictions, "in the order asked for");
  }
};

// An example as the model sees it: x[1, shape...].
Tensor example_of(const Dataset& data, const Tensor& raw, int64_t row) {
  Tensor x(data.shape.behind(1));
  normalized_example(raw, row, data.normalization, x.data<float>());
  return x;
}

Tensor picture_of(const Dataset& data, const std::string& file) {
  require(data.are_images(), "{}: the model was trained on {}, not on pictures; use --split and --index", file, data.name);
  const Image image = resize(decode_image(read_file(file, kLargestImageFile), file, static_cast<int>(data.shape[2])),
                             static_cast<int>(data.shape[0]), static_cast<int>(data.shape[1]));
  const Tensor raw =
      Tensor::of<uint8_t>({1, data.shape[0], data.shape[1], data.shape[2]}, std::span<const uint8_t>(image.pixels));
  return example_of(data, raw, 0);
}

std::vector<ClassShare> best_classes(const Tensor& logits, const std::vector<std::string>& names, int64_t top) {
  const std::vector<double> p = softmax(convert(logits, DType::f64).data<double>());
  std::vector<ClassShare> shares;
  for (size_t k = 0; k < p.size() && k < names.size(); ++k) shares.push_back({names[k], p[k]});
  std::ranges::stable_sort(shares, std::greater{}, &ClassShare::score);
  shares.resize(std::min<size_t>(shares.size(), static_cast<size_t>(top)));
  return shares;
}

int64_t index_of(const std::string& text, int64_t size, const std::string& split) {
  int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  require(error == std::errc() && end == text.data() + text.size() && index >= 0 && index < size,
          "--index: wanted an example of the {} split, 0..{}, found \"{}\"", split, size - 1, text);
  return index;
}

class Predictor {
 public:
  Predictor(Trained& trained, int64_t top) : trained_(trained), top_(top) {}

  Prediction picture(const std::string& file) { return {file, "", classes(picture_of(trained_.data, file))}; }

  Prediction example(const std::string& split_text, const std::string& index_text) {
    const Subset& split = split_of(trained_.data, split_text);
    const int64_t i = index_of(index_text, split.size(), split_text);
    const int64_t row = split.rows[static_cast<size_t>(i)];
    const Tensor x = example_of(trained_.data, split.examples->inputs, row);
    const std::string text = trained_.data.are_texts() ? " " + shown_text(trained_.data.text(*split.examples, row)) : "";
    return {fmt::format("{} {}{}", split_text, i, text), trained_.data.classes[static_cast<size_t>(split.label(i))], classes(x)};
  }

 private:
  std::vector<ClassShare> classes(const Tensor& x) {
    return best_classes(trained_.model->forward(context_, x).tensor(), trained_.data.classes, top_);
  }

  Trained& trained_;
  int64_t top_;
  Context context_{nullptr, Mode::eval};
};

std::string text_of(const Prediction& p) {
  std::string line = p.input + ":";
  for (const ClassShare& c : p.classes) line += fmt::format("  {} {}", c.name, percent(c.score));
  if (!p.label.empty()) line += fmt::format("  (it is {})", p.label);
  return line;
}

}  // namespace

int command::predict(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  require(arguments.has("IMAGE") || arguments.has("index"), "predict: wants image files, or examples: --split test --index 0");
  const int64_t top = arguments.integer("top", 1, kMostTop).value_or(3);
  const std::string split = split_name(arguments);
  Trained trained = trained_of(arguments);
  freeze(*trained.model);
  Predictor predictor(trained, top);
  Predictions result;
  result.run = trained.file.string();
  for (const std::string& file : arguments.list("IMAGE")) result.predictions.push_back(predictor.picture(file));
  for (const std::string& index : arguments.list("index")) result.predictions.push_back(predictor.example(split, index));
  for (const Prediction& p : result.predictions) console.print("{}", text_of(p));
  console.json(write(result));
  return 0;
}

}  // namespace lp

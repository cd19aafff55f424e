// lptrain inspect: the tensors of a trained network under the microscope.
#include <filesystem>

#include "lptrain/app/config_source.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/app/tensor_view.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

struct InspectResult {
  std::string status = "finished", run;
  std::vector<TensorView> tensors;
  std::vector<std::string> pictures;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("run", run, "the weights file");
    f("tensors", tensors, "layer by layer");
    f("pictures", pictures, "files that were written");
  }
};

std::vector<TensorView> chosen(std::vector<TensorView> views, const Model& model, const std::string& layer) {
  if (layer.empty()) return views;
  std::vector<std::string> known = model.layers();
  bool is_known = false;
  for (const std::string& name : known) is_known = is_known || glob_match(layer, name);
  require(is_known, "--layer: no layer \"{}\"{}", layer, suggestion(layer, known));
  std::erase_if(views, [&](const TensorView& v) { return !glob_match(layer, v.layer); });
  return views;
}

std::string picture_of(const TensorView& view) {
  constexpr double kWidth = 640, kHeight = 300;
  std::string title = view.format.empty() ? "not quantized" : fmt::format("{}, {} levels", view.format, view.levels);
  if (view.is_quantized_here()) title += fmt::format(", SQNR {}{}", view.sqnr_text(), view.sqnr_text() == "exact" ? "" : " dB");
  return Plot::file(title, std::vector{histogram_plot(view, kWidth, kHeight, view.scales ? "multiples of the scale" : "")});
}

// DIR/conv1.weights.svg ...
std::vector<std::string> write_pictures(const std::vector<TensorView>& views, const std::filesystem::path& folder) {
  make_folder(folder);
  std::vector<std::string> files;
  for (const TensorView& view : views) {
    const std::filesystem::path file =
        folder / fmt::format("{}{}{}.svg", view.layer, view.layer.empty() ? "" : ".", word_of(view.role));
    write_file(file, picture_of(view));
    files.push_back(file.string());
  }
  return files;
}

}  // namespace

int command::inspect(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const Trained trained = trained_of(arguments);
  const PhaseSpec& phase = trained.config.phases.back();
  InspectResult result;
  result.run = trained.file.string();
  result.tensors = chosen(view_tensors(*trained.model, *phase.train.loss, trained.data), *trained.model, arguments.text("layer"));
  console.print("{}", table_text(view_cells(result.tensors)));
  if (arguments.has("svg")) {
    result.pictures = write_pictures(result.tensors, arguments.text("svg"));
    console.say("{} pictures in {}", result.pictures.size(), arguments.text("svg"));
  }
  console.json(write(result));
  return 0;
}

}  // namespace lp

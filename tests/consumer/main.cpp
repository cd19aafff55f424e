// Trains an MLP on the spirals with lptrain as a library: data, model, and a loop of one's own.
#include <cstdio>

#include "lptrain/base/document.h"
#include "lptrain/data/loader.h"
#include "lptrain/grad/ops.h"
#include "lptrain/nn/model.h"
#include "lptrain/train/optimizer.h"

int main() {
  lp::DatasetSpec spec;
  spec.name = "spirals";
  const lp::Dataset data = lp::load_dataset(spec, lp::data_folders());
  lp::ModelSpec mlp;
  lp::read(lp::Document::parse(
               R"({"layers": [{"linear": {"out": 64}}, "relu", {"linear": {"out": 64}}, "relu", {"linear": {}}]})", "mlp"),
           mlp);
  lp::Model model(mlp, data.shape, 2, lp::Precision{}, lp::DType::f32, lp::Key(1));
  const lp::Choice<lp::Optimizer> adam("adam");
  std::map<std::string, std::vector<lp::Tensor>> slots;
  double last = 0;
  const lp::Loader loader(data, data.train, {.batch = 64, .shuffle = true});
  for (int epoch = 0, step = 0; epoch < 20; ++epoch) {
    auto stream = loader.epoch(epoch);
    while (auto batch = stream.next()) {
      lp::Tape tape;
      lp::Context context(&tape, lp::Mode::train);
      const lp::Var loss = lp::cross_entropy(model.forward(context, batch->x), batch->labels);
      const lp::Gradients gradients = tape.backward(loss);
      ++step;
      for (const auto& [param, leaf] : context.leaves()) {
        auto& state = slots[param->name];
        for (size_t i = state.size(); i < adam->slots().size(); ++i) state.push_back(lp::Tensor::zeros(param->value.shape()));
        adam->update({.lr = 0.01, .step = step, .decays = false}, param->value, gradients.of(leaf), state);
      }
      last = loss.tensor().item();
    }
  }
  std::printf("loss %.4f\n", last);
  return last < 0.3 ? 0 : 1;
}

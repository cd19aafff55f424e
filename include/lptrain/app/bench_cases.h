// What `lptrain bench train` can time: the tasks and number modes that the PyTorch peer times too.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "lptrain/train/config.h"

namespace lp {

// A network, the examples it sees and the optimizer that moves it, as JSON values of a config.
struct BenchTask {
  std::string_view name, doc;
  Shape input;  // of one example
  int64_t batch;
  std::string_view layers, optimizer;
};
std::span<const BenchTask> bench_tasks();

// Which numbers are narrow.
struct BenchMode {
  std::string_view name, doc, precision, loss_scale = "\"none\"";
};
std::span<const BenchMode> bench_modes();

// The config of a case, and a data set for it that can be learned: `batches` batches to train on, one to validate. Error(usage)
// on unknown names.
RunConfig bench_config(std::string_view task, std::string_view mode);
Dataset bench_data(std::string_view task, int64_t batches);

}  // namespace lp

// lptrain ptq: a trained network in other formats, without training.
#include "lptrain/app/quantize_run.h"
#include "rows.h"
#include "run_and_compare.h"

namespace lp {
namespace {

PtqSpec spec_of(const Arguments& arguments) {
  PtqSpec spec;
  spec.calibrate = arguments.integer("calibrate", 1, 1'000'000).value_or(spec.calibrate);
  spec.correct_bias = arguments.has("correct-bias");
  if (arguments.has("adaround")) spec.adaround.emplace();
  return spec;
}

Rewritings rewritings_of(const Arguments& arguments) {
  Rewritings list;
  if (arguments.has("fold-batch-norm")) list.emplace_back("fold_batch_norm");
  if (arguments.has("equalize")) list.emplace_back("equalize");
  return list;
}

}  // namespace

int command::ptq(const Arguments& arguments) {
  return run_and_compare(
      arguments, quantized_config(arguments.text("RUN"), spec_of(arguments), rewritings_of(arguments), assignments_of(arguments)),
      compare_quantized);
}

}  // namespace lp

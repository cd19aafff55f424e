// The passes over memory between the products, as a table that can be timed.
#pragma once
#include <algorithm>
#include <functional>

#include "lptrain/app/bench_kernels.h"
#include "lptrain/base/trace.h"

namespace lp {

// Seconds of the fastest call, of as many as fit into `seconds` but at least two: the first may have to prepare things.
template <class Call>
double fastest_call(double seconds, const Call& call) {
  double best = 1e30;
  const double began = steady_seconds();
  for (int k = 0; k < 2 || steady_seconds() - began < seconds; ++k) {
    const double t = steady_seconds();
    call();
    best = std::min(best, steady_seconds() - t);
  }
  return best;
}

int64_t pass_elements();  // that every pass goes over
std::vector<std::string_view> pass_families();
void time_passes(std::string_view family, double seconds, double ceiling, const std::function<void(const KernelLine&)>& told);

}  // namespace lp

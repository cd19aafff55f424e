// How many threads loops use: one number for the whole process.
#include "lptrain/base/parallel.h"

#include <omp.h>

#include <atomic>

#include "lptrain/base/error.h"

namespace lp {
namespace {
std::atomic<int> chosen{0};  // 0: what OpenMP finds
thread_local int alone = 0;  // how many Alone objects live
}  // namespace

int thread_count() {
  if (alone > 0 || omp_in_parallel()) return 1;
  const int n = chosen.load(std::memory_order_relaxed);
  return n > 0 ? n : omp_get_max_threads();
}

Alone::Alone() { ++alone; }
Alone::~Alone() { --alone; }

void set_thread_count(int n) {
  require(n >= 1, "the number of threads must be at least 1, found {}", n);
  chosen.store(n, std::memory_order_relaxed);
  omp_set_num_threads(n);  // for libraries that this thread calls
}

}  // namespace lp

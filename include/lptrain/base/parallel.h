// Loops over threads with fixed chunks: which thread runs a chunk never changes what is computed.
#pragma once
#include <cstdint>

namespace lp {

int thread_count();            // threads that loops use; 1 inside a parallel loop and while an Alone lives
void set_thread_count(int n);  // for the whole process

// While it lives, loops of this thread run on it alone.
class Alone {
 public:
  Alone();
  ~Alone();
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
};

// f(begin, end) over [0, n) in chunks of `grain`. f must not throw.
template <class F>
void parallel_chunks(int64_t n, int64_t grain, F&& f) {
  const int64_t chunks = (n + grain - 1) / grain;
  const int threads = chunks > 1 ? thread_count() : 1;
  if (threads == 1) {
    for (int64_t c = 0; c < chunks; ++c) f(c * grain, c * grain + grain < n ? c * grain + grain : n);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t c = 0; c < chunks; ++c) f(c * grain, c * grain + grain < n ? c * grain + grain : n);
}

// f(i) for i in [0, n), spread over threads in runs of `grain`.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
  parallel_chunks(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

}  // namespace lp

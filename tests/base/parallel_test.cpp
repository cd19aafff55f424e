// Loops over threads: every index once, in the same chunks for any number of threads.
#include "lptrain/base/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "lptrain/base/error.h"

namespace {

// Leaves the number of threads as it was.
struct Threads {
  int before = lp::thread_count();
  explicit Threads(int n) { lp::set_thread_count(n); }
  ~Threads() { lp::set_thread_count(before); }
};

std::vector<std::pair<int64_t, int64_t>> chunks_of(int64_t n, int64_t grain) {
  std::vector<std::pair<int64_t, int64_t>> chunks(static_cast<size_t>((n + grain - 1) / grain), {-1, -1});
  lp::parallel_chunks(n, grain, [&](int64_t begin, int64_t end) { chunks[static_cast<size_t>(begin / grain)] = {begin, end}; });
  return chunks;
}

}  // namespace

TEST_CASE("chunks cover [0, n) without gap or overlap, and do not depend on the number of threads") {
  for (int64_t n : {0, 1, 2, 7, 64, 65, 1000})
    for (int64_t grain : {1, 2, 7, 64, 5000}) {
      const Threads one(1);
      const auto chunks = chunks_of(n, grain);
      int64_t next = 0;
      for (const auto& [begin, end] : chunks) {
        CHECK(begin == next);
        CHECK(end == std::min(begin + grain, n));
        next = end;
      }
      CHECK(next == n);
      for (int threads : {2, 3, 8}) {
        lp::set_thread_count(threads);
        CHECK(chunks_of(n, grain) == chunks);
      }
    }
}

TEST_CASE("parallel_for visits every index once") {
  const Threads four(4);
  std::vector<int> visits(10007);
  lp::parallel_for(10007, 16, [&](int64_t i) { ++visits[static_cast<size_t>(i)]; });
  CHECK(std::all_of(visits.begin(), visits.end(), [](int v) { return v == 1; }));
}

TEST_CASE("the number of threads holds for every thread of the process, and is 1 inside a loop") {
  const Threads three(3);
  CHECK(lp::thread_count() == 3);
  int seen = 0;
  std::thread([&] { seen = lp::thread_count(); }).join();
  CHECK(seen == 3);
  std::atomic<int> most_inside{0}, calls{0};
  lp::parallel_chunks(12, 1, [&](int64_t, int64_t) {
    most_inside = std::max(most_inside.load(), lp::thread_count());
    lp::parallel_for(5, 1, [&](int64_t) { ++calls; });
  });
  CHECK(most_inside == 1);
  CHECK(calls == 60);
  CHECK_THROWS_AS(lp::set_thread_count(0), lp::Error);
  CHECK(lp::thread_count() == 3);
}

// Loops that do nothing but multiply and add in registers. Each names its instructions itself, so they share a file.
#include "lptrain/kernel/ceiling.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lp {
namespace {

constexpr int kChains = 12;          // of dependent instructions: enough to hide the latency of one
constexpr int kPlain = 4 * kChains;  // numbers, which compilers make vectors of
constexpr int64_t kTurns = 1 << 16;
using Loop = float(int64_t turns, float seed);  // the result only keeps the work from being thrown away

template <class T>
float plain(int64_t turns, float seed) {
  T sums[kPlain];
  std::fill_n(sums, kPlain, static_cast<T>(seed));
  for (int64_t i = 0; i < turns; ++i)
    for (T& s : sums) s = s * static_cast<T>(0.5) + static_cast<T>(seed);
  T total = 0;
  for (const T s : sums) total += s;
  return static_cast<float>(total);
}

float plain_bits(int64_t turns, float seed) {
  uint64_t sums[kPlain];
  std::fill_n(sums, kPlain, static_cast<uint64_t>(seed));
  for (int64_t i = 0; i < turns; ++i)
    for (uint64_t& s : sums) s += static_cast<uint64_t>(std::popcount(s ^ sums[0]));
  uint64_t total = 0;
  for (const uint64_t s : sums) total += s;
  return static_cast<float>(total);
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float fma_avx2(int64_t turns, float seed) {
  __m256 sums[kChains], x = _mm256_set1_ps(0.5f), y = _mm256_set1_ps(seed);
  for (__m256& s : sums) s = y;
  for (int64_t i = 0; i < turns; ++i)
    for (__m256& s : sums) s = _mm256_fmadd_ps(s, x, y);
  for (int k = 1; k < kChains; ++k) sums[0] = _mm256_add_ps(sums[0], sums[k]);
  return _mm256_cvtss_f32(sums[0]);
}

[[gnu::target("avx512f")]] float fma_avx512(int64_t turns, float seed) {
  __m512 sums[kChains], x = _mm512_set1_ps(0.5f), y = _mm512_set1_ps(seed);
  for (__m512& s : sums) s = y;
  for (int64_t i = 0; i < turns; ++i)
    for (__m512& s : sums) s = _mm512_fmadd_ps(s, x, y);
  for (int k = 1; k < kChains; ++k) sums[0] = _mm512_add_ps(sums[0], sums[k]);
  return _mm512_cvtss_f32(sums[0]);
}

[[gnu::target("avx512f")]] float fma64_avx512(int64_t turns, float seed) {
  __m512d sums[kChains], x = _mm512_set1_pd(0.5), y = _mm512_set1_pd(seed);
  for (__m512d& s : sums) s = y;
  for (int64_t i = 0; i < turns; ++i)
    for (__m512d& s : sums) s = _mm512_fmadd_pd(s, x, y);
  for (int k = 1; k < kChains; ++k) sums[0] = _mm512_add_pd(sums[0], sums[k]);
  return static_cast<float>(_mm512_cvtsd_f64(sums[0]));
}

[[gnu::target("avx512f,avx512vnni")]] float dot_i8(int64_t turns, float seed) {
  __m512i sums[kChains], x = _mm512_set1_epi8(static_cast<char>(seed)), y = _mm512_set1_epi8(1);
  for (__m512i& s : sums) s = x;
  for (int64_t i = 0; i < turns; ++i)
    for (__m512i& s : sums) s = _mm512_dpbusd_epi32(s, x, y);
  for (int k = 1; k < kChains; ++k) sums[0] = _mm512_add_epi32(sums[0], sums[k]);
  return static_cast<float>(_mm512_cvtsi512_si32(sums[0]));
}

[[gnu::target("avx512f,avx512vpopcntdq")]] float count_bits(int64_t turns, float seed) {
  __m512i sums[kChains];
  for (__m512i& s : sums) s = _mm512_set1_epi32(static_cast<int>(seed));
  for (int64_t i = 0; i < turns; ++i)
    for (__m512i& s : sums) s = _mm512_add_epi32(s, _mm512_popcnt_epi32(_mm512_xor_si512(s, sums[0])));
  for (int k = 1; k < kChains; ++k) sums[0] = _mm512_add_epi32(sums[0], sums[k]);
  return static_cast<float>(_mm512_cvtsi512_si32(sums[0]));
}

[[gnu::target("avx512f,avx512bf16")]] float dot_bf16(int64_t turns, float seed) {
  __m512 sums[kChains];
  const auto x = (__m512bh)_mm512_set1_epi16(0x3f00), y = (__m512bh)_mm512_set1_epi16(0x3f80);  // halves and ones
  for (__m512& s : sums) s = _mm512_set1_ps(seed);
  for (int64_t i = 0; i < turns; ++i)
    for (__m512& s : sums) s = _mm512_dpbf16_ps(s, x, y);
  for (int k = 1; k < kChains; ++k) sums[0] = _mm512_add_ps(sums[0], sums[k]);
  return _mm512_cvtss_f32(sums[0]);
}
#endif

struct Row {
  std::string_view arithmetic;
  Isa isa;
  int operations;  // of one chain in one turn
  Loop* loop;
};

constexpr Row kRows[] = {
    {"f64", Isa::portable, 8, plain<double>}, {"f32", Isa::portable, 8, plain<float>},
    {"bits", Isa::portable, 512, plain_bits},
#if defined(__x86_64__)
    {"f32", Isa::avx2, 16, fma_avx2},         {"f32", Isa::avx512, 32, fma_avx512},
    {"f64", Isa::avx512, 16, fma64_avx512},   {"i8", Isa::avx512_vnni, 128, dot_i8},
    {"bf16", Isa::avx512_bf16, 64, dot_bf16}, {"bits", Isa::avx512_vpopcntdq, 1024, count_bits},
#endif
};

volatile float kept = 1;

// The highest rate of several passes: `work` of them, each worth `amount`.
template <class Work>
double best_rate(double seconds, double amount, const Work& work) {
  double best = 0;
  const double began = steady_seconds();
  for (int pass = 0; pass < 3 || steady_seconds() - began < seconds; ++pass) {
    const double t = steady_seconds();
    work();
    best = std::max(best, amount / std::max(steady_seconds() - t, 1e-9));
  }
  return best;
}

}  // namespace

std::vector<Ceiling> measure_ceilings(double seconds) {
  std::vector<Ceiling> ceilings;
  const int threads = thread_count();
  for (const Row& row : kRows) {
    if (row.isa > cpu_isa()) continue;
    const float seed = kept;
    std::vector<float> results(static_cast<size_t>(threads));
    const double rate = best_rate(seconds, static_cast<double>(kTurns) * kChains * row.operations * threads, [&] {
      parallel_for(threads, 1, [&](int64_t t) { results[static_cast<size_t>(t)] = row.loop(kTurns, seed); });
    });
    kept = results[0] == 0 ? 0.0f : 1.0f;
    ceilings.push_back({row.arithmetic, row.isa, rate});
  }
  return ceilings;
}

double operations_ceiling(const std::vector<Ceiling>& ceilings, std::string_view arithmetic, Isa isa) {
  double best = 0;
  for (const std::string_view wanted : {arithmetic, std::string_view("f32")}) {
    for (const Ceiling& c : ceilings)
      if (c.arithmetic == wanted && c.isa <= isa) best = std::max(best, c.operations_per_second);
    if (best > 0) break;
  }
  return best;
}

double copy_ceiling(int64_t bytes, double seconds) {
  constexpr int64_t kGrain = 1 << 17;
  std::vector<char> from(static_cast<size_t>(bytes), 1), to(static_cast<size_t>(bytes), 2);
  return best_rate(seconds, 2 * static_cast<double>(bytes), [&] {
    parallel_chunks(bytes, kGrain, [&](int64_t begin, int64_t end) {
      std::memcpy(&to[static_cast<size_t>(begin)], &from[static_cast<size_t>(begin)], static_cast<size_t>(end - begin));
    });
  });
}

}  // namespace lp

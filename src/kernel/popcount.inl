// The tiles of bit products, for one instruction set (see popcount.h). It says before:
//   Lanes, kRows              a vector of uint32_t, and how many rows a tile has at most
//   bits_of(codes, bit)       that bit of so many codes as the result has bits
//   Bytes, added(x, bits, y)  a vector of so many bytes; x, and y added where a bit is set
//   differing(row, n, m)      (row ^ n) & m
//   count(x)                  the number of bits that are set, lane by lane
namespace {

using Mask = decltype(bits_of(nullptr, 0));
constexpr int64_t kLanes = sizeof(Lanes) / sizeof(uint32_t), kChunk = 8 * sizeof(Mask);

Lanes load(const uint32_t* p) {
  Lanes x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

uint32_t pack(const uint8_t* codes, int64_t n, int bit, uint8_t* to) {
  int set = 0;
  for (; n >= kChunk; n -= kChunk, codes += kChunk, to += sizeof(Mask)) {
    const Mask bits = bits_of(codes, bit);
    set += __builtin_popcountll(bits);
    std::memcpy(to, &bits, sizeof bits);
  }
  if (n > 0) {
    uint8_t last[kChunk] = {};
    std::memcpy(last, codes, static_cast<size_t>(n));
    const Mask bits = bits_of(last, bit);
    set += __builtin_popcountll(bits);
    std::memcpy(to, &bits, static_cast<size_t>((n + 7) / 8));
  }
  return static_cast<uint32_t>(set);
}

// Codes of a chunk, of which the planes hold so many bytes.
template <int N>
[[gnu::always_inline]] inline Bytes codes_at(const BitPlanes& planes, const Bytes (&weight)[N], int64_t at, size_t bytes) {
  Bytes codes = Bytes{} + static_cast<uint8_t>(planes.constant);
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) {
    Mask bits = 0;
    std::memcpy(&bits, planes.lowest + i * planes.stride + at / 8, bytes);
    codes = added(codes, bits, weight[i]);
  }
  return codes;
}

template <int N>
void unpack_planes(const BitPlanes& planes, int64_t n, uint8_t* to) {
  Bytes weight[N];
  for (int i = 0; i < N; ++i) {
    const auto of_bit = static_cast<uint8_t>(i + 1 < N ? 1 << i : planes.top);
    weight[i] = Bytes{} + of_bit;
  }
  int64_t at = 0;
  for (; at + kChunk <= n; at += kChunk) {
    const Bytes codes = codes_at<N>(planes, weight, at, sizeof(Mask));
    std::memcpy(to + at, &codes, sizeof codes);
  }
  if (at == n) return;
  const Bytes codes = codes_at<N>(planes, weight, at, static_cast<size_t>((n - at + 7) / 8));
  std::memcpy(to + at, &codes, static_cast<size_t>(n - at));
}

template <int N>
void unpack_from(const BitPlanes& planes, int64_t n, uint8_t* to) {
  if constexpr (N > 1)
    if (planes.count < N) return unpack_from<N - 1>(planes, n, to);
  unpack_planes<N>(planes, n, to);
}

// sum += the counts of one plane, which begins `from` bytes behind a.
template <int P, int V>
[[gnu::always_inline]] inline void add_plane(const uint8_t* const* a, int64_t from, const Walk& walk, const uint32_t* packed,
                                             Lanes (&sum)[P][V]) {
  for (int64_t line = 0; line < walk.lines; ++line)
    for (int64_t run = 0; run < walk.runs; ++run) {
      int64_t at = from + line * walk.line_stride + run * walk.run_stride;
      for (int64_t q = 0; q < walk.quads; ++q, at += 4, packed += 2 * V * kLanes) {
        Lanes n[V], m[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) n[v] = load(packed + v * kLanes), m[v] = load(packed + (V + v) * kLanes);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
          uint32_t word;
          std::memcpy(&word, a[p] + at, sizeof word);
          const Lanes row = Lanes{} + word;
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) sum[p][v] += count(differing(row, n[v], m[v]));
        }
      }
    }
}

template <int P, int V>
void tile_of(const uint8_t* const* a, const BitRows& how, const uint32_t* packed, const int32_t* start, const Target& target) {
  Lanes sum[P][V] = {};
  for (int64_t plane = 0; plane < how.planes; ++plane) {
#pragma GCC unroll 16
    for (int p = 0; plane > 0 && p < P; ++p)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[p][v] *= how.ratio;
    add_plane<P, V>(a, plane * how.plane_stride, how.walk, packed, sum);
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const int64_t left = target.columns - v * kLanes;
      const size_t bytes = left >= kLanes ? sizeof(Lanes) : left > 0 ? static_cast<size_t>(left) * sizeof(uint32_t) : 0;
      int32_t* c = target.c + p * target.stride + v * kLanes;
      Lanes first, before = {};
      std::memcpy(&first, start + v * kLanes, sizeof first);
      if (target.accumulate) std::memcpy(&before, c, bytes);
      const Lanes y = before + first + sum[p][v] * how.factor;
      if (bytes == sizeof y)
        std::memcpy(c, &y, sizeof y);
      else
        std::memcpy(c, &y, bytes);
    }
}

template <int P>
void tile_from(int64_t rows, const uint8_t* const* a, const BitRows& how, const uint32_t* packed, const int32_t* start,
               const Target& target) {
  if constexpr (P > 1)
    if (rows < P) return tile_from<P - 1>(rows, a, how, packed, start, target);
  (target.columns > kLanes ? tile_of<P, 2> : tile_of<P, 1>)(a, how, packed, start, target);
}

}  // namespace

const BitLoops kBitLoops = {kRows, kLanes, pack, unpack_from<8>, tile_from<kRows>};

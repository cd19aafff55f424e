// The one inner loop of all byte products on AVX512-VNNI: a tile of sums held in registers. Only *_avx512_vnni.cpp may include
// it.
#pragma once
#include <immintrin.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tile.h"

namespace lp::vnni {

constexpr int kRows = 12;       // of a tile: with two vectors a row, 24 of the 32 registers are sums
constexpr int64_t kLanes = 16;  // sums of a vector
constexpr int64_t kPanel = 2 * kLanes;

// The instruction multiplies u8 by i8, so the bytes that are broadcast have the other signedness than the packed ones; where that
// takes a flip of the sign bit, the sums start from -128 (or +128) times the sum of the packed column.

// c[p, j] (+)= start[j] + sum over the walk of a[p][...] * packed[..., j]; packed holds [step, V * 16 columns, 4] bytes.
template <int P, int V, bool kSignedPanel>
void tile(const uint8_t* const* a, const Walk& walk, const uint8_t* packed, const int32_t* start, const Target& target) {
  __m512i sum[P][V];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[p][v] = _mm512_loadu_si512(start + v * kLanes);
  for (int64_t line = 0; line < walk.lines; ++line)
    for (int64_t run = 0; run < walk.runs; ++run) {
      int64_t at = line * walk.line_stride + run * walk.run_stride;
      for (int64_t q = 0; q < walk.quads; ++q, at += 4, packed += 64 * V) {
        __m512i column[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) column[v] = _mm512_loadu_si512(packed + 64 * v);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
          int32_t quad;
          std::memcpy(&quad, a[p] + at, 4);
          const __m512i row = _mm512_set1_epi32(quad);
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v)
            sum[p][v] =
                kSignedPanel ? _mm512_dpbusd_epi32(sum[p][v], row, column[v]) : _mm512_dpbusd_epi32(sum[p][v], column[v], row);
        }
      }
    }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const int64_t left = target.columns - v * kLanes;
      const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xffff : left > 0 ? (1 << left) - 1 : 0);
      int32_t* c = target.c + p * target.stride + v * kLanes;
      const __m512i before = target.accumulate ? _mm512_maskz_loadu_epi32(mask, c) : _mm512_setzero_si512();
      _mm512_mask_storeu_epi32(c, mask, _mm512_add_epi32(before, sum[p][v]));
    }
}

using Tile = void(const uint8_t* const* a, const Walk&, const uint8_t* packed, const int32_t* start, const Target&);

template <int V, bool kSignedPanel, size_t... P>
constexpr std::array<Tile*, kRows> tiles_of(std::index_sequence<P...>) {
  return {tile<static_cast<int>(P) + 1, V, kSignedPanel>...};
}

// The tile of `rows` rows (1 .. kRows) and one or two vectors of columns.
inline Tile* tile_for(int64_t rows, int64_t columns, bool signed_panel) {
  using Rows = std::make_index_sequence<kRows>;
  static constexpr std::array<Tile*, kRows> tiles[2][2] = {{tiles_of<1, false>(Rows()), tiles_of<1, true>(Rows())},
                                                           {tiles_of<2, false>(Rows()), tiles_of<2, true>(Rows())}};
  return tiles[columns > kLanes][signed_panel][static_cast<size_t>(rows - 1)];
}

// Width in columns of a panel that holds `columns` of them.
inline int64_t width_of(int64_t columns) { return columns > kLanes ? kPanel : kLanes; }

// A panel's quads of steps from rows of bytes: to[step/4, width, 4] = from[step, column], zeros beyond.
inline void pack_rows(const uint8_t* from, int64_t stride, int64_t steps, int64_t columns, uint8_t* to) {
  const int64_t width = width_of(columns);
  for (int64_t k = 0; k < steps; k += 4, to += 4 * width)
    for (int64_t j = 0; j < width; j += 16) {
      const int64_t left = columns - j;
      const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1);
      const auto load = [&](int i) { return _mm_maskz_loadu_epi8(k + i < steps ? mask : 0, from + (k + i) * stride + j); };
      const __m128i low01 = _mm_unpacklo_epi8(load(0), load(1)), high01 = _mm_unpackhi_epi8(load(0), load(1));
      const __m128i low23 = _mm_unpacklo_epi8(load(2), load(3)), high23 = _mm_unpackhi_epi8(load(2), load(3));
      const auto store = [&](int i, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 4 * j) + i, x); };
      store(0, _mm_unpacklo_epi16(low01, low23));
      store(1, _mm_unpackhi_epi16(low01, low23));
      store(2, _mm_unpacklo_epi16(high01, high23));
      store(3, _mm_unpackhi_epi16(high01, high23));
    }
}

// The same from columns of bytes: to[step/4, width, 4] = from[column, step].
inline void pack_columns(const uint8_t* from, int64_t stride, int64_t steps, int64_t columns, uint8_t* to) {
  const int64_t width = width_of(columns);
  for (int64_t k = 0; k < steps; k += 4, to += 4 * width) {
    const auto bytes = static_cast<size_t>(steps - k < 4 ? steps - k : 4);
    for (int64_t j = 0; j < width; ++j) {
      uint32_t quad = 0;
      if (j < columns) {
        if (bytes == 4)
          std::memcpy(&quad, from + j * stride + k, 4);
        else
          std::memcpy(&quad, from + j * stride + k, bytes);
      }
      std::memcpy(to + 4 * j, &quad, 4);
    }
  }
}

// start[j] = the correction of the flipped sign bits of the broadcast operand, or 0 if they are not flipped.
inline void start_of(const uint8_t* packed, int64_t steps, int64_t columns, bool signed_panel, bool flipped, int32_t* start) {
  const int64_t width = width_of(columns);
  for (int64_t j = 0; j < width; j += kLanes) {
    __m512i sum = _mm512_setzero_si512();
    const __m512i factor = _mm512_set1_epi8(-128);  // 128 where it stands for u8
    for (int64_t k = 0; flipped && k < steps; ++k) {
      const __m512i column = _mm512_loadu_si512(packed + (k * width + j) * 4);
      sum = signed_panel ? _mm512_dpbusd_epi32(sum, factor, column) : _mm512_dpbusd_epi32(sum, column, factor);
    }
    _mm512_storeu_si512(start + j, _mm512_sub_epi32(_mm512_setzero_si512(), sum));
  }
}

}  // namespace lp::vnni

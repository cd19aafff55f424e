// Convolutions of bytes on AVX512-VNNI without unfolding: the rows of the product are read where they lie in a padded image.
#ifdef __AVX512VNNI__
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "bytes.h"
#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "rows.h"
#include "scratch.h"
#include "vnni_tile.h"

namespace lp {
namespace {

using vnni::kPanel;
using vnni::kRows;

constexpr int64_t kSlack = 64;  // bytes that the last quad of a row may read beyond an image

int64_t panels_of(int64_t columns) { return (columns + kPanel - 1) / kPanel; }

// Runs f(worker, image) for all images, with one worker a thread.
template <class F>
void each_image(int64_t workers, int64_t images, F&& f) {
  parallel_for(workers, 1, [&](int64_t worker) {
    for (int64_t n = worker; n < images; n += workers) f(worker, n);
  });
}
int64_t workers_for(int64_t images) { return std::min<int64_t>(images, thread_count()); }

// The steps of a filter over a padded NHWC image: whole lines of the filter if its columns are neighbours, else tap by tap.
Walk filter_walk(const ConvShape& s) {
  const int64_t line = s.dilation_h * (s.W + 2 * s.pad_w) * s.C;
  if (s.dilation_w == 1) return {s.KH, line, 1, 0, (s.KW * s.C + 3) / 4};
  return {s.KH, line, s.KW, s.dilation_w * s.C, (s.C + 3) / 4};
}

// w[O,KH,KW,C] in panels of output channels, in the order of the walk.
void pack_filters(const ConvShape& s, const Walk& walk, const uint8_t* w, int64_t panel, uint8_t* to) {
  const int64_t K = s.KH * s.KW * s.C, run = s.KW * s.C / walk.runs, columns = std::min(kPanel, s.O - panel * kPanel);
  for (int64_t i = 0; i < s.KH * walk.runs; ++i)
    vnni::pack_columns(w + panel * kPanel * K + i * run, K, run, columns, to + i * walk.quads * 4 * vnni::width_of(columns));
}

// The inside of a padded image, whose border was filled before.
void fill_image(const ConvShape& s, const uint8_t* x, uint8_t flip, uint8_t* padded) {
  const int64_t line = (s.W + 2 * s.pad_w) * s.C;
  for (int64_t h = 0; h < s.H; ++h) flip_bytes(x + h * s.W * s.C, s.W * s.C, flip, padded + (h + s.pad_h) * line + s.pad_w * s.C);
}

// One image of y[OH,OW,O] in the columns of one panel.
void image_forward(const ConvShape& s, const Walk& walk, const uint8_t* padded, const uint8_t* packed, const int32_t* start,
                   bool signed_panel, int64_t panel, int32_t* y) {
  const int64_t OW = s.OW(), places = s.OH() * OW, line = (s.W + 2 * s.pad_w) * s.C;
  const int64_t columns = std::min(kPanel, s.O - panel * kPanel);
  for (int64_t first = 0; first < places; first += kRows) {
    const int64_t rows = std::min<int64_t>(kRows, places - first);
    const uint8_t* row[kRows];
    for (int64_t p = 0; p < rows; ++p) {
      const int64_t i = (first + p) / OW, j = (first + p) % OW;
      row[p] = padded + i * s.stride_h * line + j * s.stride_w * s.C;
    }
    vnni::tile_for(rows, columns, signed_panel)(row, walk, packed, start,
                                                {y + first * s.O + panel * kPanel, s.O, columns, false});
  }
}

// Filters in the layout of the tiles, and what their sums start from.
struct Filters {
  Filters(const ConvShape& shape, DType x_type, DType w_type, const uint8_t* w)
      : s(shape),
        signed_panel(w_type == DType::i8),
        flip(x_type == w_type ? kSignBit : 0),
        walk(filter_walk(s)),
        panels(panels_of(s.O)),
        panel_bytes(walk.steps() * 4 * kPanel),
        packed(static_cast<size_t>(panels * panel_bytes)),
        start(static_cast<size_t>(panels * kPanel)) {
    parallel_for(panels, 1, [&](int64_t p) {
      pack_filters(s, walk, w, p, packed.data() + p * panel_bytes);
      vnni::start_of(packed.data() + p * panel_bytes, walk.steps(), std::min(kPanel, s.O - p * kPanel), signed_panel, flip != 0,
                     start.data() + p * kPanel);
    });
  }
  ConvShape s;
  bool signed_panel;
  uint8_t flip;
  Walk walk;
  int64_t panels, panel_bytes;
  std::vector<uint8_t> packed;
  std::vector<int32_t> start;
};

void forward(const Filters& f, const uint8_t* x, int32_t* y) {
  const ConvShape& s = f.s;
  const int64_t image = (s.H + 2 * s.pad_h) * (s.W + 2 * s.pad_w) * s.C + kSlack, workers = workers_for(s.N);
  const Scratch<uint8_t> padded(workers * image);
  std::memset(padded.data(), f.flip, static_cast<size_t>(workers * image));
  each_image(workers, s.N, [&](int64_t worker, int64_t n) {
    uint8_t* own = padded.data() + worker * image;
    fill_image(s, x + n * s.H * s.W * s.C, f.flip, own);
    for (int64_t p = 0; p < f.panels; ++p)
      image_forward(s, f.walk, own, f.packed.data() + p * f.panel_bytes, f.start.data() + p * kPanel, f.signed_panel, p,
                    y + n * s.OH() * s.OW() * s.O);
  });
}

// With stride 1, dx is the convolution of dy with the filters turned by 180 degrees, inputs and outputs exchanged.
ConvShape turned(const ConvShape& s) {
  return {.N = s.N,
          .H = s.OH(),
          .W = s.OW(),
          .C = s.O,
          .O = s.C,
          .KH = s.KH,
          .KW = s.KW,
          .pad_h = s.dilation_h * (s.KH - 1) - s.pad_h,
          .pad_w = s.dilation_w * (s.KW - 1) - s.pad_w,
          .dilation_h = s.dilation_h,
          .dilation_w = s.dilation_w};
}

Filters turned_filters(const ConvKey& key, const uint8_t* w) {
  const ConvShape& s = key.shape;
  const int64_t taps = s.KH * s.KW;
  const Scratch<uint8_t> filters(s.O * taps * s.C);
  parallel_for(taps, 1, [&](int64_t t) {
    transpose_window(w + t * s.C, taps * s.C, s.O, s.C, 0, filters.data() + (taps - 1 - t) * s.O, taps * s.O);
  });
  return {turned(s), key.a, key.b, filters.data()};
}

Filters filters_of(const ConvKey& key, const void* w) {
  const auto* bytes = static_cast<const uint8_t*>(w);
  return key.pass == ConvPass::forward ? Filters(key.shape, key.a, key.b, bytes) : turned_filters(key, bytes);
}

// Weight gradients: the sums run over places, so that channels of x become planes, and dy is packed by quads of places in a line.
struct Planes {
  explicit Planes(const ConvShape& shape)
      : s(shape),
        OH(s.OH()),
        OW(s.OW()),
        quads((OW + 3) / 4),
        line(4 * quads + s.dilation_w * (s.KW - 1)),
        plane((s.H + 2 * s.pad_h) * line),
        K(s.KH * s.KW * s.C),
        panels(panels_of(s.O)),
        panel_bytes(OH * quads * 4 * kPanel) {}

  // The inside of the planes; their border was filled before. Columns that no place reads are left out.
  void fill(const uint8_t* x, uint8_t flip, uint8_t* planes) const {
    const int64_t columns = std::min(s.W, line - s.pad_w);
    for (int64_t h = 0; h < s.H; ++h)
      transpose_window(x + h * s.W * s.C, s.C, columns, s.C, flip, planes + (h + s.pad_h) * line + s.pad_w, plane);
  }
  void pack(const uint8_t* dy, int64_t panel, uint8_t* to) const {
    const int64_t columns = std::min(kPanel, s.O - panel * kPanel);
    for (int64_t i = 0; i < OH; ++i)
      vnni::pack_rows(dy + i * OW * s.O + panel * kPanel, s.O, OW, columns, to + i * quads * 4 * vnni::width_of(columns));
  }
  // Where element k of a filter starts to read: k = (u * KW + v) * C + c.
  int64_t place(int64_t k) const {
    const int64_t u = k / (s.KW * s.C), v = k / s.C % s.KW;
    return k % s.C * plane + u * s.dilation_h * line + v * s.dilation_w;
  }

  ConvShape s;
  int64_t OH, OW, quads, line, plane, K, panels, panel_bytes;
};

// sums[K, O] += one image, in the columns of one panel.
void image_gradient(const Planes& at, const uint8_t* planes, const uint8_t* packed, const int32_t* start, bool signed_panel,
                    int64_t panel, int32_t* sums) {
  const Walk walk{.lines = at.OH, .line_stride = at.line, .quads = at.quads};
  const int64_t columns = std::min(kPanel, at.s.O - panel * kPanel);
  for (int64_t first = 0; first < at.K; first += kRows) {
    const int64_t rows = std::min<int64_t>(kRows, at.K - first);
    const uint8_t* row[kRows];
    for (int64_t p = 0; p < rows; ++p) row[p] = planes + at.place(first + p);
    vnni::tile_for(rows, columns, signed_panel)(row, walk, packed, start,
                                                {sums + first * at.s.O + panel * kPanel, at.s.O, columns, true});
  }
}

void backward_weights(const ConvKey& key, const uint8_t* x, const uint8_t* dy, int32_t* dw) {
  const Planes at(key.shape);
  const bool signed_panel = key.b == DType::i8, flipped = key.a == key.b;
  const uint8_t flip = flipped ? kSignBit : 0;
  const int64_t workers = workers_for(at.s.N), image = at.s.C * at.plane + kSlack, size = at.K * at.s.O;
  const Scratch<uint8_t> planes(workers * image), packed(workers * at.panel_bytes);
  const Scratch<int32_t> sums(workers * size), start(workers * kPanel);
  std::memset(planes.data(), flip, static_cast<size_t>(workers * image));
  std::fill_n(sums.data(), workers * size, 0);
  each_image(workers, at.s.N, [&](int64_t worker, int64_t n) {
    uint8_t *own = planes.data() + worker * image, *own_packed = packed.data() + worker * at.panel_bytes;
    int32_t* own_start = start.data() + worker * kPanel;
    at.fill(x + n * at.s.H * at.s.W * at.s.C, flip, own);
    for (int64_t p = 0; p < at.panels; ++p) {
      at.pack(dy + n * at.OH * at.OW * at.s.O, p, own_packed);
      vnni::start_of(own_packed, at.OH * at.quads, std::min(kPanel, at.s.O - p * kPanel), signed_panel, flipped, own_start);
      image_gradient(at, own, own_packed, own_start, signed_panel, p, sums.data() + worker * size);
    }
  });
  parallel_for(at.s.O, 1, [&](int64_t o) {
    for (int64_t k = 0; k < at.K; ++k) {
      uint32_t total = 0;
      for (int64_t worker = 0; worker < workers; ++worker) total += static_cast<uint32_t>(sums[worker * size + k * at.s.O + o]);
      dw[o * at.K + k] = static_cast<int32_t>(total);
    }
  });
}

}  // namespace

const char* conv2d_vnni_refuses(const ConvKey& key) {
  const ConvShape& s = key.shape;
  if (!is_byte(key.a)) return "takes i8 and u8";
  if (s.groups > 1) return "takes one group";
  if (key.pass == ConvPass::forward) return nullptr;
  if (std::max(s.stride_h, s.stride_w) > 1) return "takes gradients of stride 1 only";
  const bool wide = s.pad_h > s.dilation_h * (s.KH - 1) || s.pad_w > s.dilation_w * (s.KW - 1);
  return key.pass == ConvPass::backward_data && wide ? "takes padding smaller than the filter" : nullptr;
}

void conv2d_vnni(const ConvKey& key, const void* a, const void* b, void* c) {
  const auto* bytes = static_cast<const uint8_t*>(a);
  auto* sums = static_cast<int32_t*>(c);
  if (key.pass == ConvPass::backward_weights) return backward_weights(key, bytes, static_cast<const uint8_t*>(b), sums);
  forward(filters_of(key, b), bytes, sums);
}

ConvReady conv2d_vnni_ready(const ConvKey& key, const void* b) {
  return [filters = std::make_shared<const Filters>(filters_of(key, b))](const void* a, void* c) {
    forward(*filters, static_cast<const uint8_t*>(a), static_cast<int32_t*>(c));
  };
}

}  // namespace lp
#endif

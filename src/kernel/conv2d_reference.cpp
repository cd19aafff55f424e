// Convolution and its two gradients as their definitions say them: the oracle of every other row.
#include "lptrain/base/parallel.h"
#include "modelled_sum.h"
#include "rows.h"

namespace lp {
namespace {

// Where the elements of x, w and y lie.
struct Layout {
  explicit Layout(const ConvShape& shape)
      : s(shape), OH(s.OH()), OW(s.OW()), group_in(s.C / s.groups), group_out(s.O / s.groups) {}
  int64_t x(int64_t n, int64_t h, int64_t w, int64_t c) const { return ((n * s.H + h) * s.W + w) * s.C + c; }
  int64_t w(int64_t o, int64_t u, int64_t v, int64_t c) const { return ((o * s.KH + u) * s.KW + v) * group_in + c; }
  int64_t y(int64_t n, int64_t i, int64_t j, int64_t o) const { return ((n * OH + i) * OW + j) * s.O + o; }
  int64_t row(int64_t i, int64_t u) const { return i * s.stride_h + u * s.dilation_h - s.pad_h; }
  int64_t column(int64_t j, int64_t v) const { return j * s.stride_w + v * s.dilation_w - s.pad_w; }
  const ConvShape& s;
  int64_t OH, OW, group_in, group_out;
};

bool inside(int64_t i, int64_t n) { return i >= 0 && i < n; }

template <class A, class B, class C, class Start>
void forward(const Layout& at, const A* x, const B* w, C* y, Start start) {
  const ConvShape& s = at.s;
  parallel_for(s.N * at.OH, 1, [&](int64_t ni) {
    const int64_t n = ni / at.OH, i = ni % at.OH;
    for (int64_t j = 0; j < at.OW; ++j)
      for (int64_t o = 0; o < s.O; ++o) {
        auto sum = start(at.y(n, i, j, o));
        const int64_t first = o / at.group_out * at.group_in;
        for (int64_t u = 0; u < s.KH; ++u)
          for (int64_t v = 0; v < s.KW; ++v) {
            const int64_t h = at.row(i, u), l = at.column(j, v);
            if (!inside(h, s.H) || !inside(l, s.W)) continue;
            for (int64_t c = 0; c < at.group_in; ++c) sum.add(x[at.x(n, h, l, first + c)], w[at.w(o, u, v, c)]);
          }
        y[at.y(n, i, j, o)] = sum.value();
      }
  });
}

template <class A, class B, class C, class Start>
void backward_data(const Layout& at, const A* dy, const B* w, C* dx, Start start) {
  const ConvShape& s = at.s;
  parallel_for(s.N * s.H, 1, [&](int64_t nh) {
    const int64_t n = nh / s.H, h = nh % s.H;
    for (int64_t l = 0; l < s.W; ++l)
      for (int64_t c = 0; c < s.C; ++c) {
        auto sum = start(at.x(n, h, l, c));
        const int64_t first = c / at.group_in * at.group_out;
        for (int64_t u = 0; u < s.KH; ++u)
          for (int64_t v = 0; v < s.KW; ++v) {
            const int64_t below = h + s.pad_h - u * s.dilation_h, right = l + s.pad_w - v * s.dilation_w;
            if (below % s.stride_h || right % s.stride_w) continue;
            const int64_t i = below / s.stride_h, j = right / s.stride_w;
            if (!inside(i, at.OH) || !inside(j, at.OW)) continue;
            for (int64_t o = first; o < first + at.group_out; ++o)
              sum.add(dy[at.y(n, i, j, o)], w[at.w(o, u, v, c % at.group_in)]);
          }
        dx[at.x(n, h, l, c)] = sum.value();
      }
  });
}

template <class A, class B, class C, class Start>
void backward_weights(const Layout& at, const A* x, const B* dy, C* dw, Start start) {
  const ConvShape& s = at.s;
  parallel_for(s.O * s.KH * s.KW, 1, [&](int64_t ouv) {
    const int64_t o = ouv / (s.KH * s.KW), u = ouv / s.KW % s.KH, v = ouv % s.KW;
    const int64_t first = o / at.group_out * at.group_in;
    for (int64_t c = 0; c < at.group_in; ++c) {
      auto sum = start(at.w(o, u, v, c));
      for (int64_t n = 0; n < s.N; ++n)
        for (int64_t i = 0; i < at.OH; ++i)
          for (int64_t j = 0; j < at.OW; ++j) {
            const int64_t h = at.row(i, u), l = at.column(j, v);
            if (inside(h, s.H) && inside(l, s.W)) sum.add(x[at.x(n, h, l, first + c)], dy[at.y(n, i, j, o)]);
          }
      dw[at.w(o, u, v, c)] = sum.value();
    }
  });
}

}  // namespace

void conv2d_reference(const ConvKey& key, const void* a_memory, const void* b_memory, void* c_memory) {
  visit_product(key.a, key.b, [&]<class A, class B, class C>() {
    const A* a = static_cast<const A*>(a_memory);
    const B* b = static_cast<const B*>(b_memory);
    C* c = static_cast<C*>(c_memory);
    const Layout at(key.shape);
    with_sums<C>(key.accumulator, [&](auto start) {
      switch (key.pass) {
        case ConvPass::forward: return forward(at, a, b, c, start);
        case ConvPass::backward_data: return backward_data(at, a, b, c, start);
        case ConvPass::backward_weights: return backward_weights(at, a, b, c, start);
      }
    });
  });
}

}  // namespace lp

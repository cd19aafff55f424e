// Steps of recurrent layers: the arithmetic of their gates, each cell with its gradient.
#include "cell.h"

#include "lptrain/grad/ops.h"
#include "rows.h"

namespace lp {
namespace {

struct CellShape {
  int64_t N, H;
};

// x and h [N, gates H], the state [N,H].
CellShape checked(const Var& x, const Var& h, const Var& state, int64_t gates, const char* what) {
  require(x.value && h.value && state.value, "{}: an input is empty", what);
  const Shape& s = state.shape();
  require(s.rank() == 2 && x.shape() == Shape({s[0], gates * s[1]}) && h.shape() == x.shape(),
          "{}: the state is {}, so x and h must have {} gates of its size; found {} and {}", what, s.text(), gates,
          x.shape().text(), h.shape().text());
  return {s[0], s[1]};
}

// Runs f<T>(n) for every example.
template <class F>
void each_example(DType type, const CellShape& s, F f) {
  visit_real(type, [&]<class T>() {
    parallel_for(s.N, std::max<int64_t>(1, kGrain / 4 / std::max<int64_t>(s.H, 1)),
                 [&](int64_t n) { f.template operator()<T>(n); });
  });
}

// What backward needs of an LSTM step: gates behind their functions [N,4H], the memory before [N,H], tanh of the one after [N,H].
struct LstmKept {
  Tensor gates, c, tanh_c;
};

template <class T>
void lstm_forward(int64_t H, const T* x, const T* h, const T* c, T* gates, T* tanh_c, T* h_out, T* c_out) {
  T *i = gates, *f = i + H, *g = f + H, *o = g + H;
#pragma GCC ivdep
  for (int64_t k = 0; k < 4 * H; ++k) gates[k] = x[k] + h[k];
#pragma GCC ivdep
  for (int64_t k = 0; k < 2 * H; ++k) gates[k] = smooth_step(gates[k]);
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) g[k] = smooth_sign(g[k]);
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) o[k] = smooth_step(o[k]);
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) c_out[k] = f[k] * c[k] + i[k] * g[k];
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) tanh_c[k] = smooth_sign(c_out[k]);
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) h_out[k] = o[k] * tanh_c[k];
}

template <class T>
void lstm_backward(int64_t H, const T* gates, const T* c, const T* tanh_c, const T* dh, const T* dc_out, T* dz, T* dc) {
  const T *i = gates, *f = i + H, *g = f + H, *o = g + H;
  T *di = dz, *df = di + H, *dg = df + H, *d_o = dg + H;
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) {
    const T d = dc_out[k] + dh[k] * o[k] * (1 - tanh_c[k] * tanh_c[k]);
    di[k] = d * g[k] * i[k] * (1 - i[k]);
    df[k] = d * c[k] * f[k] * (1 - f[k]);
    dg[k] = d * i[k] * (1 - g[k] * g[k]);
    d_o[k] = dh[k] * tanh_c[k] * o[k] * (1 - o[k]);
    dc[k] = d * f[k];
  }
}

// [5,N,H]: the gradient of the gates [N,4H], then that of the memory before.
Tensor lstm_gradients(const LstmKept& kept, const CellShape& s, const Tensor& dy) {
  Tensor dx(Shape{5, s.N, s.H}, dy.dtype());
  each_example(dy.dtype(), s, [&]<class T>(int64_t n) {
    const int64_t at = n * s.H;
    const T* d = dy.data<T>().data();
    T* out = dx.data<T>().data();
    lstm_backward(s.H, std::as_const(kept.gates).data<T>().data() + 4 * at, std::as_const(kept.c).data<T>().data() + at,
                  std::as_const(kept.tanh_c).data<T>().data() + at, d + at, d + s.N * s.H + at, out + 4 * at,
                  out + 4 * s.N * s.H + at);
  });
  return dx;
}

// What backward needs of a GRU step: gates behind their functions [N,3H], the product with the state, the state.
struct GruKept {
  Tensor gates, h, state;
};

template <class T>
void gru_forward(int64_t H, const T* x, const T* h, const T* state, T* gates, T* out) {
  T *r = gates, *z = r + H, *n = z + H;
#pragma GCC ivdep
  for (int64_t k = 0; k < 2 * H; ++k) gates[k] = smooth_step(x[k] + h[k]);
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) n[k] = smooth_sign(x[2 * H + k] + r[k] * h[2 * H + k]);
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) out[k] = n[k] + z[k] * (state[k] - n[k]);
}

// dx and dh differ in the last gate, which r stands before.
template <class T>
void gru_backward(int64_t H, const T* gates, const T* h, const T* state, const T* dy, T* dx, T* dh, T* d_state) {
  const T *r = gates, *z = r + H, *n = z + H;
#pragma GCC ivdep
  for (int64_t k = 0; k < H; ++k) {
    const T dn = dy[k] * (1 - z[k]) * (1 - n[k] * n[k]);
    dx[k] = dh[k] = dn * h[2 * H + k] * r[k] * (1 - r[k]);
    dx[H + k] = dh[H + k] = dy[k] * (state[k] - n[k]) * z[k] * (1 - z[k]);
    dx[2 * H + k] = dn;
    dh[2 * H + k] = dn * r[k];
    d_state[k] = dy[k] * z[k];
  }
}

// [7,N,H]: the gradients of x [N,3H], of h [N,3H] and of the state.
Tensor gru_gradients(const GruKept& kept, const CellShape& s, const Tensor& dy) {
  Tensor dx(Shape{7, s.N, s.H}, dy.dtype());
  each_example(dy.dtype(), s, [&]<class T>(int64_t n) {
    const int64_t at = n * s.H, all = s.N * s.H;
    T* out = dx.data<T>().data();
    gru_backward(s.H, std::as_const(kept.gates).data<T>().data() + 3 * at, std::as_const(kept.h).data<T>().data() + 3 * at,
                 std::as_const(kept.state).data<T>().data() + at, dy.data<T>().data() + at, out + 3 * at, out + 3 * all + 3 * at,
                 out + 6 * all + at);
  });
  return dx;
}

// Rows begin..end-1 of what a cell's gradients are packed in, as [N, (end - begin) H].
Rule part(int64_t begin, int64_t end, const CellShape& s) {
  return [=](const Value& d) { return Value(d.tensor().rows(begin, end).reshape({s.N, (end - begin) * s.H})); };
}

}  // namespace

Var lstm_cell(const Var& x, const Var& h, const Var& c) {
  const CellShape s = checked(x, h, c, 4, "lstm_cell");
  const DType type = x.value.dtype();
  const Tensor by_x = x.tensor(), by_h = h.tensor();  // reals are made here, by one thread
  const LstmKept kept{Tensor(x.shape(), type), c.tensor(), Tensor(c.shape(), type)};
  Tensor y(Shape{2, s.N, s.H}, type), gates = kept.gates, tanh_c = kept.tanh_c;
  each_example(type, s, [&]<class T>(int64_t n) {
    const int64_t at = n * s.H;
    T* out = y.data<T>().data() + at;
    lstm_forward(s.H, by_x.data<T>().data() + 4 * at, by_h.data<T>().data() + 4 * at, kept.c.data<T>().data() + at,
                 gates.data<T>().data() + 4 * at, tanh_c.data<T>().data() + at, out, out + s.N * s.H);
  });
  return record(y, {{x, part(0, 4, s)}, {h, part(0, 4, s)}, {c, part(4, 5, s)}},
                [=](const Value& dy) { return Value(lstm_gradients(kept, s, dy.tensor())); });
}

Var gru_cell(const Var& x, const Var& h, const Var& state) {
  const CellShape s = checked(x, h, state, 3, "gru_cell");
  const DType type = x.value.dtype();
  const Tensor by_x = x.tensor();
  const GruKept kept{Tensor(x.shape(), type), h.tensor(), state.tensor()};
  Tensor y(state.shape(), type), gates = kept.gates;
  each_example(type, s, [&]<class T>(int64_t n) {
    const int64_t at = n * s.H;
    gru_forward(s.H, by_x.data<T>().data() + 3 * at, kept.h.data<T>().data() + 3 * at, kept.state.data<T>().data() + at,
                gates.data<T>().data() + 3 * at, y.data<T>().data() + at);
  });
  return record(y, {{x, part(0, 3, s)}, {h, part(3, 6, s)}, {state, part(6, 7, s)}},
                [=](const Value& dy) { return Value(gru_gradients(kept, s, dy.tensor())); });
}

}  // namespace lp

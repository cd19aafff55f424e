// Scaled dot-product attention by heads: the two products of a sequence with itself and the softmax between them, as one op.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lptrain/grad/ops.h"
#include "rows.h"

namespace lp {
namespace {

struct AttentionShape {
  int64_t N, T, C, heads;
  bool causal;
  int64_t d() const { return C / heads; }
  int64_t seen(int64_t t) const { return causal ? t + 1 : T; }  // steps that step t sees
};

AttentionShape checked(const Var& q, const Var& k, const Var& v, int64_t heads, bool causal) {
  require(q.value && k.value && v.value, "attention: an input is empty");
  const Shape& s = q.shape();
  require(s.rank() == 3 && k.shape() == s && v.shape() == s, "attention: q, k and v must be [N,T,C], found {}, {} and {}",
          s.text(), k.shape().text(), v.shape().text());
  require(heads >= 1 && s[2] % heads == 0, "attention: {} heads do not divide {} channels evenly", heads, s[2]);
  return {s[0], s[1], s[2], heads, causal};
}

// f<T>(where the head's channels begin in q, k and v; where its shares begin in p) for every head of every example.
template <class F>
void each_head(DType type, const AttentionShape& s, F f) {
  visit_real(type, [&]<class T>() {
    parallel_for(s.N * s.heads, 1,
                 [&](int64_t i) { f.template operator()<T>(i / s.heads * s.T * s.C + i % s.heads * s.d(), i * s.T * s.T); });
  });
}

template <class T>
T inner(const T* a, const T* b, int64_t n) {
  T sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
template <class T>
void add_times(T factor, const T* x, int64_t n, T* y) {
  for (int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

template <class T>
T scale_of(const AttentionShape& s) {
  return static_cast<T>(1 / std::sqrt(static_cast<double>(s.d())));
}

// Shares p[T,T] of one head, and y; what a step does not see has share 0.
template <class T>
void attend(const AttentionShape& s, const T* q, const T* k, const T* v, T* p, T* y) {
  for (int64_t t = 0; t < s.T; ++t, p += s.T) {
    const int64_t seen = s.seen(t);
    for (int64_t u = 0; u < seen; ++u) p[u] = scale_of<T>(s) * inner(q + t * s.C, k + u * s.C, s.d());
    softmax_row(p, p, seen);
    std::fill(p + seen, p + s.T, T(0));
    std::fill(y + t * s.C, y + t * s.C + s.d(), T(0));
    for (int64_t u = 0; u < seen; ++u) add_times(p[u], v + u * s.C, s.d(), y + t * s.C);
  }
}

// With dp_tu = dy_t v_u and ds = p (dp - sum_u p dp):  dq = ds k / sqrt(d),  dk = ds^T q / sqrt(d),  dv = p^T dy.
template <class T>
void attend_backward(const AttentionShape& s, const T* q, const T* k, const T* v, const T* p, const T* dy, T* dq, T* dk, T* dv) {
  std::vector<T> ds(static_cast<size_t>(s.T));
  for (int64_t t = 0; t < s.T; ++t, p += s.T) {
    const int64_t seen = s.seen(t), at = t * s.C;
    T mean = 0;
    for (int64_t u = 0; u < seen; ++u) mean += p[u] * (ds[static_cast<size_t>(u)] = inner(dy + at, v + u * s.C, s.d()));
    for (int64_t u = 0; u < seen; ++u) {
      const T d = p[u] * (ds[static_cast<size_t>(u)] - mean) * scale_of<T>(s);
      add_times(d, k + u * s.C, s.d(), dq + at);
      add_times(d, q + at, s.d(), dk + u * s.C);
      add_times(p[u], dy + at, s.d(), dv + u * s.C);
    }
  }
}

}  // namespace

Var attention(const Var& query, const Var& key, const Var& value, int64_t heads, bool causal) {
  const AttentionShape s = checked(query, key, value, heads, causal);
  const DType type = query.value.dtype();
  const Tensor q = query.tensor(), k = key.tensor(), v = value.tensor();  // reals are made here, by one thread
  Tensor y(q.shape(), type), p(Shape{s.N, heads, s.T, s.T}, type);
  each_head(type, s, [&]<class T>(int64_t at, int64_t share) {
    attend(s, q.data<T>().data() + at, k.data<T>().data() + at, v.data<T>().data() + at, p.data<T>().data() + share,
           y.data<T>().data() + at);
  });
  // The three gradients lie one behind the other: [3,N,T,C].
  const auto gradients = [s, q, k, v, p](const Value& error) {
    const Tensor& dy = error.tensor();
    Tensor d = Tensor::zeros(dy.shape().behind(3), dy.dtype());
    each_head(dy.dtype(), s, [&]<class T>(int64_t at, int64_t share) {
      T* out = d.data<T>().data() + at;
      attend_backward(s, q.data<T>().data() + at, k.data<T>().data() + at, v.data<T>().data() + at, p.data<T>().data() + share,
                      dy.data<T>().data() + at, out, out + dy.size(), out + 2 * dy.size());
    });
    return Value(d);
  };
  const auto part = [shape = q.shape()](int64_t i) {
    return [=](const Value& d) { return Value(d.tensor().rows(i, i + 1).reshape(shape)); };
  };
  return record(y, {{query, part(0)}, {key, part(1)}, {value, part(2)}}, gradients);
}

}  // namespace lp

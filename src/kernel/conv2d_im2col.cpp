// Convolution as a matrix product, for every type: blocks of images are unfolded into rows that hold all a filter sees.
#include <algorithm>
#include <cstring>

#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "rows.h"
#include "scratch.h"

namespace lp {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;  // of unfolded rows at a time

// One group of channels in a block of images. A patch is one row of the product: K = KH*KW*C/groups elements.
struct Unfold {
  Unfold(const ConvShape& shape, int64_t bytes)
      : s(shape),
        OH(s.OH()),
        OW(s.OW()),
        C(s.C / s.groups),
        O(s.O / s.groups),
        K(s.KH * s.KW * C),
        images(std::clamp<int64_t>(kBlockBytes / std::max<int64_t>(1, OH * OW * K * bytes), 1, s.N)) {}
  int64_t patches(int64_t n) const { return n * OH * OW; }
  ConvShape s;
  int64_t OH, OW, C, O, K, images;
};

// Calls f(place of C channels in the patch, place in the image or -1 in the padding) for all taps of output (i, j).
template <class F>
void each_tap(const Unfold& u, int64_t i, int64_t j, F&& f) {
  for (int64_t p = 0; p < u.s.KH; ++p)
    for (int64_t q = 0; q < u.s.KW; ++q) {
      const int64_t h = i * u.s.stride_h + p * u.s.dilation_h - u.s.pad_h, w = j * u.s.stride_w + q * u.s.dilation_w - u.s.pad_w;
      const bool inside = h >= 0 && h < u.s.H && w >= 0 && w < u.s.W;
      f((p * u.s.KW + q) * u.C, inside ? (h * u.s.W + w) * u.s.C : -1);
    }
}

// patches[n,i,j, K] of `images` images, from the group's first channel in the first image.
template <class T>
void unfold(const Unfold& u, const T* x, int64_t images, T* patches) {
  parallel_for(images * u.OH, 1, [&](int64_t ni) {
    const T* image = x + ni / u.OH * u.s.H * u.s.W * u.s.C;
    for (int64_t j = 0; j < u.OW; ++j) {
      T* patch = patches + (ni * u.OW + j) * u.K;
      each_tap(u, ni % u.OH, j, [&](int64_t to, int64_t from) {
        if (from < 0)
          std::memset(patch + to, 0, static_cast<size_t>(u.C) * sizeof(T));
        else
          std::copy_n(image + from, u.C, patch + to);
      });
    }
  });
}

// x += the patches, each element where unfold read it. One thread an image: patches overlap.
template <class T>
void fold(const Unfold& u, const T* patches, int64_t images, T* x) {
  parallel_for(images, 1, [&](int64_t n) {
    T* image = x + n * u.s.H * u.s.W * u.s.C;
    for (int64_t ij = 0; ij < u.OH * u.OW; ++ij) {
      const T* patch = patches + (n * u.OH * u.OW + ij) * u.K;
      each_tap(u, ij / u.OW, ij % u.OW, [&](int64_t from, int64_t to) {
        if (to < 0) return;
        for (int64_t c = 0; c < u.C; ++c) {
          if constexpr (std::is_same_v<T, int32_t>)
            image[to + c] = static_cast<int32_t>(static_cast<uint32_t>(image[to + c]) + static_cast<uint32_t>(patch[from + c]));
          else
            image[to + c] += patch[from + c];
        }
      });
    }
  });
}

// A group's columns of a matrix with O columns in all: itself if there is but one group, else a copy in `own`.
template <class T>
const T* columns_of(const Unfold& u, const T* y, int64_t rows, T* own) {
  if (u.s.groups == 1) return y;
  parallel_for(rows, 256, [&](int64_t i) { std::copy_n(y + i * u.s.O, u.O, own + i * u.O); });
  return own;
}

template <class A, class B, class C>
void forward(const ConvKey& key, const A* x, const B* w, C* y) {
  const Unfold u(key.shape, sizeof(A));
  const Scratch<A> patches(u.patches(u.images) * u.K);
  const Scratch<C> own(u.s.groups > 1 ? u.patches(u.images) * u.O : 0);
  for (int64_t n = 0; n < u.s.N; n += u.images)
    for (int64_t g = 0; g < u.s.groups; ++g) {
      const int64_t images = std::min(u.images, u.s.N - n), rows = u.patches(images);
      unfold(u, x + n * u.s.H * u.s.W * u.s.C + g * u.C, images, patches.data());
      C* block = y + u.patches(n) * u.s.O + g * u.O;
      C* result = u.s.groups > 1 ? own.data() : block;
      matmul({rows, u.O, u.K, key.a, key.b, key.c, false, true}, patches.data(), w + g * u.O * u.K, result);
      if (u.s.groups > 1) parallel_for(rows, 256, [&](int64_t i) { std::copy_n(own.data() + i * u.O, u.O, block + i * u.s.O); });
    }
}

template <class A, class B, class C>
void backward_data(const ConvKey& key, const A* dy, const B* w, C* dx) {
  const Unfold u(key.shape, sizeof(C));
  const Scratch<C> patches(u.patches(u.images) * u.K);
  const Scratch<A> own(u.s.groups > 1 ? u.patches(u.images) * u.O : 0);
  const int64_t image = u.s.H * u.s.W * u.s.C;
  parallel_for(u.s.N, 1, [&](int64_t n) { std::fill_n(dx + n * image, image, C(0)); });
  for (int64_t n = 0; n < u.s.N; n += u.images)
    for (int64_t g = 0; g < u.s.groups; ++g) {
      const int64_t images = std::min(u.images, u.s.N - n), rows = u.patches(images);
      const A* block = columns_of(u, dy + u.patches(n) * u.s.O + g * u.O, rows, own.data());
      matmul({rows, u.K, u.O, key.a, key.b, key.c}, block, w + g * u.O * u.K, patches.data());
      fold(u, patches.data(), images, dx + n * image + g * u.C);
    }
}

template <class A, class B, class C>
void backward_weights(const ConvKey& key, const A* x, const B* dy, C* dw) {
  const Unfold u(key.shape, sizeof(A));
  const Scratch<A> patches(u.patches(u.images) * u.K);
  const Scratch<B> own(u.s.groups > 1 ? u.patches(u.images) * u.O : 0);
  for (int64_t n = 0; n < u.s.N; n += u.images)
    for (int64_t g = 0; g < u.s.groups; ++g) {
      const int64_t images = std::min(u.images, u.s.N - n), rows = u.patches(images);
      unfold(u, x + n * u.s.H * u.s.W * u.s.C + g * u.C, images, patches.data());
      const B* block = columns_of(u, dy + u.patches(n) * u.s.O + g * u.O, rows, own.data());
      matmul({u.O, u.K, rows, key.b, key.a, key.c, true, false, n > 0}, block, patches.data(), dw + g * u.O * u.K);
    }
}

}  // namespace

const char* conv2d_im2col_refuses(const ConvKey& key) {
  return key.shape.C == key.shape.groups && key.shape.groups > 1
             ? "unfolding single channels is slower than the loops of the reference"
             : nullptr;
}

void conv2d_im2col(const ConvKey& key, const void* a_memory, const void* b_memory, void* c_memory) {
  visit_product(key.a, key.b, [&]<class A, class B, class C>() {
    const A* a = static_cast<const A*>(a_memory);
    const B* b = static_cast<const B*>(b_memory);
    C* c = static_cast<C*>(c_memory);
    switch (key.pass) {
      case ConvPass::forward: return forward(key, a, b, c);
      case ConvPass::backward_data: return backward_data(key, a, b, c);
      case ConvPass::backward_weights: return backward_weights(key, a, b, c);
    }
  });
}

}  // namespace lp

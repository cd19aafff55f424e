// Weight sharing: a codebook of trained numbers, one for each cluster of weights.
#include <algorithm>

#include "scales.h"

namespace lp {
namespace {

// Lloyd's algorithm in one dimension. `sorted` is; centroids stay in order.
void improve(const std::vector<double>& sorted, std::vector<double>& centroids) {
  auto begin = sorted.begin();
  for (size_t k = 0; k < centroids.size(); ++k) {
    const auto end =
        k + 1 < centroids.size() ? std::upper_bound(begin, sorted.end(), (centroids[k] + centroids[k + 1]) / 2) : sorted.end();
    double sum = 0;
    for (auto at = begin; at != end; ++at) sum += *at;
    if (begin != end) centroids[k] = sum / static_cast<double>(end - begin);
    begin = end;
  }
}

// The index of the nearest of n numbers in order; of two equally near, the lower.
int64_t nearest(const float* centroids, int64_t n, double x) {
  const int64_t above = std::lower_bound(centroids, centroids + n, x) - centroids;
  if (above == 0) return 0;
  if (above == n) return n - 1;
  return static_cast<double>(centroids[above]) - x < x - static_cast<double>(centroids[above - 1]) ? above : above - 1;
}

// q_i of a weight, or -1 for a weight of 0: pruned ones belong to no cluster and stay 0.
std::vector<int32_t> clusters(const Tensor& x, const float* centroids, int64_t n) {
  std::vector<int32_t> cluster(static_cast<size_t>(x.size()));
  visit_real(x.dtype(), [&]<class T>() {
    const T* p = x.data<T>().data();
    parallel_for(x.size(), kGrain, [&](int64_t i) {
      cluster[static_cast<size_t>(i)] = p[i] == 0 ? -1 : static_cast<int32_t>(nearest(centroids, n, static_cast<double>(p[i])));
    });
  });
  return cluster;
}

}  // namespace

void KMeans::fields(Fields& f) {
  f("iterations", iterations, "of Lloyd's algorithm, from even steps between min and max", {0, 10000});
}

std::string KMeans::objection(const Quantizer& q) const {
  return q.format.bits() <= 12
             ? ""
             : fmt::format("\"kmeans\" has a codebook of 2^bits numbers, of at most 12 bits; found {}", q.format.name());
}

Extent KMeans::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const { return AbsMax().measure(x, lanes, q); }

// Two rows of 2^bits numbers: the centroids of the clusters, which say for good who belongs where, and the numbers that are
// trained from there.   Source: Han, Mao & Dally 2016, section 3 (linear initialization).
Tensor KMeans::start(const Tensor& x, const Quantizer& q) const {
  const int64_t n = q.format.hi() - q.format.lo() + 1;
  std::vector<double> sorted = lane_of(x, {1, 1, x.size()}, 0);
  std::erase(sorted, 0.0);
  std::ranges::sort(sorted);
  std::vector<double> centroids(static_cast<size_t>(n));
  const double low = sorted.empty() ? -1 : sorted.front(), high = sorted.empty() ? 1 : sorted.back();
  for (int64_t k = 0; k < n; ++k)
    centroids[static_cast<size_t>(k)] =
        n == 1 ? (low + high) / 2 : low + (high - low) * static_cast<double>(k) / static_cast<double>(n - 1);
  for (int i = 0; i < iterations; ++i) improve(sorted, centroids);
  Tensor learned(Shape{2, n});
  for (size_t i = 0; i < learned.data<float>().size(); ++i)
    learned.data<float>()[i] = static_cast<float>(centroids[i % static_cast<size_t>(n)]);
  return learned;
}

// q_i = c[cluster of x_i];  dc_k = sum of dy over cluster k.   Source: Han, Mao & Dally 2016, section 3.3.
Var KMeans::apply(const Var& x, const Var& learned, const Quantizer& q) const {
  const int64_t n = q.format.hi() - q.format.lo() + 1;
  require(learned.shape() == Shape{2, n}, "a codebook of {} is [2,{}], found {}: it comes from another precision",
          q.format.name(), n, learned.shape().text());
  const float* book = learned.tensor().data<float>().data();
  const auto cluster = std::make_shared<const std::vector<int32_t>>(clusters(x.tensor(), book, n));
  const Tensor& reals = x.tensor();
  Tensor y(reals.shape(), reals.dtype());
  visit_real(reals.dtype(), [&]<class T>() {
    T* out = y.data<T>().data();
    for (size_t i = 0; i < cluster->size(); ++i) out[i] = (*cluster)[i] < 0 ? T(0) : static_cast<T>(book[n + (*cluster)[i]]);
  });
  return record(Value(y), {{learned, [cluster, n](const Value& dy) -> Value {
                              std::vector<double> sums(static_cast<size_t>(n));
                              visit_real(dy.dtype(), [&]<class T>() {
                                const auto d = dy.tensor().data<T>();
                                for (size_t i = 0; i < d.size(); ++i)
                                  if ((*cluster)[i] >= 0) sums[static_cast<size_t>((*cluster)[i])] += static_cast<double>(d[i]);
                              });
                              Tensor dc = Tensor::zeros(Shape{2, n});
                              for (size_t k = 0; k < sums.size(); ++k)
                                dc.data<float>()[static_cast<size_t>(n) + k] = static_cast<float>(sums[k]);
                              return dc;
                            }}});
}

}  // namespace lp

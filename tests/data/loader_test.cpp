// The loader: every example once, the same batches however they are made, clean ends.
#include "lptrain/data/loader.h"

#include <algorithm>
#include <cmath>

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

// `count` pictures of 2 x 2 whose four bytes and label are their number.
Dataset numbered(int64_t count) {
  auto examples = std::make_shared<Examples>();
  examples->inputs = Tensor({count, 2, 2, 1}, DType::u8);
  Dataset set;
  set.shape = {2, 2, 1};
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t p = 0; p < 4; ++p) examples->inputs.data<uint8_t>()[static_cast<size_t>(4 * i + p)] = static_cast<uint8_t>(i);
    examples->labels.push_back(static_cast<int32_t>(i));
    set.train.rows.push_back(i);
  }
  set.train.examples = examples;
  set.normalization = {{0.5f}, {-1}};
  return set;
}

std::vector<Batch> all(BatchStream stream) {
  std::vector<Batch> batches;
  while (std::optional<Batch> batch = stream.next()) batches.push_back(std::move(*batch));
  return batches;
}

bool same(const Batch& a, const Batch& b) {
  return a.labels == b.labels && a.first == b.first && a.index == b.index && a.epoch == b.epoch && a.x.shape() == b.x.shape() &&
         std::ranges::equal(a.x.data<float>(), b.x.data<float>());
}

std::vector<int32_t> labels_of(const std::vector<Batch>& batches) {
  std::vector<int32_t> labels;
  for (const Batch& batch : batches) labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
  return labels;
}

}  // namespace

TEST_CASE("in order: shapes, labels, normalized values, a short last batch") {
  const Dataset set = numbered(10);
  const Loader loader(set, set.train, {.batch = 4});
  const std::vector<Batch> batches = all(loader.epoch(0));
  REQUIRE(batches.size() == 3);
  CHECK(loader.batches() == 3);
  CHECK(batches[2].x.shape() == Shape{2, 2, 2, 1});
  CHECK(batches[2].first == 8);
  CHECK(batches[1].labels == std::vector<int32_t>{4, 5, 6, 7});
  CHECK(batches[1].x.data<float>()[0] == 4 * 0.5f - 1);
  const Loader whole(set, set.train, {.batch = 4, .drop_last = true});
  CHECK(all(whole.epoch(0)).size() == 2);
}

TEST_CASE("shuffled: every example once an epoch, another order each epoch and seed") {
  const Dataset set = numbered(97);
  const Loader loader(set, set.train, {.batch = 10, .shuffle = true}),
      other(set, set.train, {.batch = 10, .shuffle = true, .seed = 2});
  const std::vector<int32_t> first = labels_of(all(loader.epoch(0)));
  CHECK(first != labels_of(all(loader.epoch(1))));
  CHECK(first != labels_of(all(other.epoch(0))));
  CHECK(first == labels_of(all(loader.epoch(0))));
  std::vector<int32_t> sorted = first;
  std::ranges::sort(sorted);
  for (int32_t i = 0; i < 97; ++i) CHECK(sorted[static_cast<size_t>(i)] == i);
}

TEST_CASE("the same batches made ahead, on demand, alone, and from the middle on") {
  Dataset set = numbered(50);
  set.augment = {Choice<Augmentation>("noise"), Choice<Augmentation>("shift")};
  LoaderOptions options{.batch = 8, .shuffle = true, .ahead = 0, .augment = true};
  const Loader plain(set, set.train, options);
  const std::vector<Batch> wanted = all(plain.epoch(3));
  for (int64_t ahead : {1, 2, 100}) {
    options.ahead = ahead;
    const Loader loader(set, set.train, options);
    for (int64_t from : {0, 2, 6}) {
      const std::vector<Batch> batches = all(loader.epoch(3, from));
      REQUIRE(static_cast<int64_t>(batches.size()) == 7 - from);
      for (size_t i = 0; i < batches.size(); ++i) CHECK(same(batches[i], wanted[i + static_cast<size_t>(from)]));
    }
    CHECK(same(loader.batch(3, 4), wanted[4]));
  }
  CHECK(all(plain.epoch(3, 7)).empty());
  options.augment = false;
  CHECK_FALSE(same(Loader(set, set.train, options).batch(3, 0), wanted[0]));
}

TEST_CASE("shards of a batch make up the batch") {
  Dataset set = numbered(21);
  set.augment = {Choice<Augmentation>("noise")};
  const LoaderOptions whole{.batch = 8, .shuffle = true, .augment = true};
  for (int64_t shards : {2, 3}) {
    for (int64_t index = 0; index < 3; ++index) {
      const Batch all_of_it = Loader(set, set.train, whole).batch(1, index);
      std::vector<float> x;
      std::vector<int32_t> labels;
      for (int64_t shard = 0; shard < shards; ++shard) {
        LoaderOptions options = whole;
        options.shard = shard;
        options.shards = shards;
        const Batch part = Loader(set, set.train, options).batch(1, index);
        CHECK(part.first == all_of_it.first + static_cast<int64_t>(labels.size()));
        CHECK(part.global_size == all_of_it.size());
        x.insert(x.end(), part.x.data<float>().begin(), part.x.data<float>().end());
        labels.insert(labels.end(), part.labels.begin(), part.labels.end());
      }
      CHECK(labels == all_of_it.labels);
      CHECK(std::ranges::equal(x, all_of_it.x.data<float>()));
    }
  }
}

TEST_CASE("a subset's loader sees its rows only; tables load too") {
  Dataset set = numbered(10);
  const Subset some{set.train.examples, {7, 2, 5}};
  CHECK(labels_of(all(Loader(set, some, {.batch = 2}).epoch(0))) == std::vector<int32_t>{7, 2, 5});
  auto table = std::make_shared<Examples>(Examples{Tensor::of<float>({2, 2}, {1, 2, 3, 4}), {0, 1}});
  set.shape = {2};
  set.normalization = {{1, 10}, {0, 1}};
  const Batch batch = Loader(set, {table, {1, 0}}, {.batch = 2}).batch(0, 0);
  CHECK(std::ranges::equal(batch.x.data<float>(), std::vector<float>{3, 41, 1, 21}));
}

TEST_CASE("a stream may be dropped at any time; what goes wrong in its thread comes out of next") {
  const Dataset set = numbered(200);
  for (int reads = 0; reads < 5; ++reads) {
    BatchStream stream = Loader(set, set.train, {.batch = 2}).epoch(0);
    for (int i = 0; i < reads; ++i) CHECK(stream.next());
  }
  Dataset broken = numbered(20);
  broken.shape = {int64_t{1} << 60, 1};  // two of these are more bytes than 64 bits count
  BatchStream stream = Loader(broken, broken.train, {.batch = 2}).epoch(0);
  CHECK_THROWS_AS(stream.next(), Error);
  CHECK_THROWS_AS(Loader(set, set.train, {.batch = 0}), Error);
  CHECK_THROWS_AS(Loader(set, set.train, {.shard = 2, .shards = 2}), Error);
  CHECK_THROWS_AS(Loader(set, {set.train.examples, {}}, {}), Error);
}

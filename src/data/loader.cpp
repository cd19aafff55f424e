// Makes batches: which examples, in which order, changed and normalized how; and a thread that does it ahead of time.
#include "lptrain/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "lptrain/data/permutation.h"

namespace lp {

// Makes the batches of one epoch.
struct BatchMaker {
  std::shared_ptr<const Loader::Plan> plan;
  int64_t epoch;
  Key key;
  std::vector<int64_t> order;  // places in the subset; empty: in order

  BatchMaker(std::shared_ptr<const Loader::Plan> p, int64_t number) : plan(std::move(p)), epoch(number) {
    key = Key(static_cast<uint64_t>(plan->options.seed)).with(static_cast<uint64_t>(epoch));
    if (plan->options.shuffle) order = permutation(plan->subset.size(), key.with("shuffle"));
  }

  int64_t row_at(int64_t place) const {
    return plan->subset.rows[static_cast<size_t>(order.empty() ? place : order[static_cast<size_t>(place)])];
  }

  Batch make(int64_t index) const {
    const LoaderOptions& o = plan->options;
    const int64_t begin = index * o.batch, size = std::min(o.batch, plan->subset.size() - begin);
    const int64_t from = begin + size * o.shard / o.shards, to = begin + size * (o.shard + 1) / o.shards;
    Batch batch{Tensor(plan->shape.behind(to - from)), {}, from, epoch, index, size};
    const std::span<float> x = batch.x.data<float>();
    const size_t width = static_cast<size_t>(plan->shape.size());
    for (int64_t place = from; place < to; ++place) {
      const int64_t row = row_at(place);
      batch.labels.push_back(plan->subset.examples->labels[static_cast<size_t>(row)]);
      fill(row, x.subspan(static_cast<size_t>(place - from) * width, width));
    }
    return batch;
  }

 private:
  void fill(int64_t row, std::span<float> into) const {
    if (!plan->augment.empty()) return augmented(row, into);
    if (plan->table.empty()) return normalized_example(plan->subset.examples->inputs, row, plan->normalization, into);
    const size_t channels = plan->table.size() / 256;
    const uint8_t* raw =
        std::as_const(plan->subset.examples->inputs).data<uint8_t>().data() + static_cast<size_t>(row) * into.size();
    for (size_t i = 0; i < into.size(); i += channels)
      for (size_t c = 0; c < channels; ++c) into[i + c] = plan->table[raw[i + c] * channels + c];
  }

  void augmented(int64_t row, std::span<float> into) const {
    const auto raw =
        std::as_const(plan->subset.examples->inputs).data<uint8_t>().subspan(static_cast<size_t>(row) * into.size(), into.size());
    Frame frame{plan->shape[0], plan->shape[1], plan->shape[2], {raw.begin(), raw.end()}};
    const Key example = key.with("augment").with(static_cast<uint64_t>(row));
    for (size_t k = 0; k < plan->augment.size(); ++k) plan->augment[k]->apply(frame, example.with(k));
    std::ranges::copy(frame.values, into.begin());
    plan->normalization.apply(into);
  }
};

// ---- The thread ---------------------------------------------------------------------------------------------------------

struct BatchStream::State {
  BatchMaker maker;
  int64_t upcoming, end, ahead;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr error;
  bool stop = false, finished = false;
  std::thread thread;

  State(BatchMaker m, int64_t first, int64_t last, int64_t depth)
      : maker(std::move(m)), upcoming(first), end(last), ahead(depth) {
    if (ahead > 0) thread = std::thread([this] { work(); });
  }
  ~State() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    if (thread.joinable()) thread.join();
  }

  // Waits for room; false: nobody wants more.
  bool wait_for_room() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stop || static_cast<int64_t>(ready.size()) < ahead; });
    return !stop;
  }

  void work() {
    try {
      while (upcoming < end && wait_for_room()) {
        Batch batch = maker.make(upcoming++);
        {
          const std::lock_guard lock(mutex);
          ready.push_back(std::move(batch));
        }
        changed.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex);
      finished = true;
    }
    changed.notify_all();
  }

  std::optional<Batch> next() {
    if (ahead == 0) return upcoming < end ? std::optional(maker.make(upcoming++)) : std::nullopt;
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !ready.empty() || finished; });
    if (ready.empty()) {
      if (error) std::rethrow_exception(error);
      return std::nullopt;
    }
    Batch batch = std::move(ready.front());
    ready.pop_front();
    changed.notify_all();
    return batch;
  }
};

BatchStream::BatchStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
BatchStream::BatchStream(BatchStream&&) noexcept = default;
BatchStream& BatchStream::operator=(BatchStream&&) noexcept = default;
BatchStream::~BatchStream() = default;
std::optional<Batch> BatchStream::next() { return state_->next(); }

// ---- The loader ---------------------------------------------------------------------------------------------------------

Loader::Loader(const Dataset& dataset, const Subset& subset, const LoaderOptions& options) {
  require(options.batch >= 1, "a batch needs at least one example, found {}", options.batch);
  require(0 <= options.shard && options.shard < options.shards, "shard {} of {}", options.shard, options.shards);
  require(options.ahead >= 0, "batches made ahead: {}, wanted 0 or more", options.ahead);
  require(subset.size() > 0, "{}: this split holds no examples", dataset.name);
  auto plan = std::make_shared<Plan>(Plan{subset, dataset.normalization, {}, options, dataset.shape, {}});
  if (options.augment) plan->augment = dataset.augment;
  if (subset.examples->are_images()) {
    const size_t channels = static_cast<size_t>(dataset.shape.back());
    for (size_t v = 0; v < 256; ++v) plan->table.insert(plan->table.end(), channels, static_cast<float>(v));
    plan->normalization.apply(plan->table);
  }
  plan_ = std::move(plan);
}

int64_t Loader::batches() const {
  const int64_t n = plan_->subset.size(), b = plan_->options.batch;
  return plan_->options.drop_last ? n / b : (n + b - 1) / b;
}

BatchStream Loader::epoch(int64_t number, int64_t first_batch) const {
  return BatchStream(
      std::make_unique<BatchStream::State>(BatchMaker(plan_, number), first_batch, batches(), plan_->options.ahead));
}

Batch Loader::batch(int64_t epoch, int64_t index) const {
  require(0 <= index && index < batches(), "batch {} of an epoch of {}", index, batches());
  return BatchMaker(plan_, epoch).make(index);
}

void normalized_example(const Tensor& inputs, int64_t row, const Normalization& normalization, std::span<float> into) {
  const size_t width = into.size(), from = static_cast<size_t>(row) * width;
  if (inputs.dtype() == DType::u8)
    std::ranges::copy(inputs.data<uint8_t>().subspan(from, width), into.begin());
  else
    std::ranges::copy(inputs.data<float>().subspan(from, width), into.begin());
  normalization.apply(into);
}

}  // namespace lp

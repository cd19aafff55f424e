// oneDNN primitives as products of three arrays: made once a shape and thread count, kept, and never seen to throw.
#pragma once
#include <omp.h>

#include <map>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <utility>

#include "lptrain/base/parallel.h"
#include "lptrain/number/dtype.h"

namespace lp::onednn {

const dnnl::engine& engine();
dnnl::memory::data_type type_of(DType type);  // i8 u8 i32 f32 bf16 only
bool has_vnni();                              // without it, oneDNN's byte products saturate

// An array of a primitive: its place in the call, the layout that our caller has and the one that the primitive wants.
struct Operand {
  int argument;
  dnnl::memory::desc plain, wanted;
};

// c = a * b by one primitive, with reorders before and after where its layouts are its own.
class Product {
 public:
  Product(dnnl::primitive primitive, const dnnl::memory::desc& scratchpad, const Operand& a, const Operand& b, const Operand& c);
  void run(const void* a, const void* b, void* c) const;
  // b in the layout that the primitive wants, and the product with such a b.
  int64_t packed_bytes() const { return static_cast<int64_t>(b_.operand.wanted.get_size()); }
  void pack(const void* b, void* packed) const;
  void run_packed(const void* a, const void* packed, void* c) const;

 private:
  struct Port {
    Operand operand;
    std::optional<dnnl::reorder> reorder;
    dnnl::memory::desc scratchpad;
  };
  static Port port(const Operand& operand, bool output);
  static void move(const Port& port, const dnnl::memory& from, const dnnl::memory& to);

  dnnl::primitive primitive_;
  dnnl::memory::desc scratchpad_;
  Port a_, b_, c_;
};

// Makes OpenMP agree with thread_count() on this thread: oneDNN asks OpenMP, when a primitive is made and when it runs.
class Threads {
 public:
  Threads() : before_(omp_get_max_threads()) { omp_set_num_threads(thread_count()); }
  ~Threads() { omp_set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

dnnl::primitive_attr
user_scratchpad();  // the scratch memory of a primitive is the caller's: one primitive may run in many threads

bool is_slow(const char* implementation);  // oneDNN's own reference loops: slower than our other rows

// Products by key and thread count. `make(key)` returns null or throws dnnl::error if oneDNN has no fast kernel: remembered too.
template <class Key>
class Cache {
 public:
  using Made = std::shared_ptr<const Product>;

  Made find(const Key& key, Made (*make)(const Key&)) {
    const std::pair place(key, thread_count());
    const std::scoped_lock lock(mutex_);
    if (const auto found = made_.find(place); found != made_.end()) return found->second;
    if (made_.size() >= kMost) made_.clear();
    return made_[place] = create(key, make);
  }

 private:
  static constexpr size_t kMost = 1024;

  static Made create(const Key& key, Made (*make)(const Key&)) {
    const Threads threads;
    try {
      return make(key);
    } catch (const dnnl::error&) {
      return nullptr;
    }
  }

  std::mutex mutex_;
  std::map<std::pair<Key, int>, Made> made_;
};

}  // namespace lp::onednn

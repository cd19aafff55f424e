// Working memory for the length of a call: big temporary arrays cost page faults, so each thread keeps them for its next call.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lp {

// At least `bytes` bytes aligned to 64, uninitialized; give them back with release_scratch in the same thread. Throws
// std::bad_alloc.
void* acquire_scratch(size_t bytes);
void release_scratch(void* memory);

// n uninitialized elements of T, a plain number type.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t n) : data_(static_cast<T*>(acquire_scratch(static_cast<size_t>(n) * sizeof(T)))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { release_scratch(data_); }
  T* data() const { return data_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  T* data_;
};

}  // namespace lp

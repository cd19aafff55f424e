// Memory that no tensor holds goes back; what tensors hold stays.
#include "lptrain/tensor/storage.h"

#include <doctest/doctest.h>

#include "lptrain/tensor/tensor.h"

using namespace lp;

TEST_CASE("idle memory is given back, held memory is not") {
  const Tensor held = Tensor::full({1000}, 3);
  { const Tensor gone = Tensor::zeros({123457}); }
  CHECK(memory_use().system_bytes > memory_use().live_bytes);
  release_idle_memory();
  CHECK(memory_use().system_bytes == memory_use().live_bytes);
  CHECK(held.data<float>()[999] == 3);
}

// The inner loops, compiled for AVX-512.
#include "loops.h"

namespace lp::avx512 {

#include "epilogue.inl"
#include "map.inl"
#include "neighbour.inl"
#include "norm.inl"
#include "ordered.inl"
#include "passage.inl"
#include "pool.inl"
#include "quantize.inl"
#include "split.inl"
#include "statistics.inl"
#include "update.inl"
#include "widen.inl"

#include "loops.inl"

}  // namespace lp::avx512

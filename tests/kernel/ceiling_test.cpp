// Ceilings: there is one for every instruction set that may be used, and none for others.
#include "lptrain/kernel/ceiling.h"

#include <doctest/doctest.h>

using namespace lp;

TEST_CASE("every allowed instruction set is measured, and no other") {
  const Isa all = cpu_isa();
  for (const Isa cap : {Isa::portable, Isa::avx2, all}) {
    if (cap > all) continue;
    set_isa_cap(cap);
    bool has_f32 = false;
    for (const Ceiling& c : measure_ceilings(0)) {
      CHECK(c.isa <= cap);
      CHECK(c.operations_per_second > 0);
      has_f32 = has_f32 || (c.arithmetic == "f32" && c.isa == std::min(cap, Isa::avx512));
    }
    CHECK(has_f32);
  }
  set_isa_cap(Isa::amx);
}

TEST_CASE("the ceiling of an arithmetic is the highest below an instruction set, f32's where it has none") {
  const std::vector<Ceiling> ceilings{{"f32", Isa::portable, 1}, {"f32", Isa::avx512, 8}, {"i8", Isa::avx512_vnni, 32}};
  CHECK(operations_ceiling(ceilings, "f32", Isa::avx2) == 1);
  CHECK(operations_ceiling(ceilings, "f32", Isa::amx) == 8);
  CHECK(operations_ceiling(ceilings, "i8", Isa::avx512_vnni) == 32);
  CHECK(operations_ceiling(ceilings, "i8", Isa::avx512) == 8);
}

TEST_CASE("copying has a rate") { CHECK(copy_ceiling(1 << 16, 0) > 0); }

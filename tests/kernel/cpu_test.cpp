// The caps on instruction sets and back ends, and what they say.
#include "lptrain/kernel/cpu.h"

#include <doctest/doctest.h>

#include "operands.h"

using namespace lp;

TEST_CASE("caps only lower what the machine has") {
  const test::Caps restore;
  set_backend_cap(Backend::onednn);
  set_isa_cap(Isa::amx);
  const Isa machine = cpu_isa();
  for (int i = 0; i <= static_cast<int>(Isa::amx); ++i) {
    set_isa_cap(static_cast<Isa>(i));
    CHECK(cpu_isa() == std::min(machine, static_cast<Isa>(i)));
    CHECK(available(Backend::reference, Isa::portable));
    for (int need = 0; need <= static_cast<int>(Isa::amx); ++need)
      CHECK(available(Backend::native, static_cast<Isa>(need)) == (static_cast<Isa>(need) <= cpu_isa()));
  }
}

TEST_CASE("a back end above the cap is not available, and the reason names the variable") {
  const test::Caps restore;
  set_backend_cap(Backend::onednn);
  set_isa_cap(Isa::amx);
  set_backend_cap(Backend::openblas);
  CHECK(available(Backend::openblas, Isa::portable));
  CHECK_FALSE(available(Backend::onednn, Isa::portable));
  CHECK(unavailable(Backend::native, Isa::portable) == "");
  CHECK(unavailable(Backend::onednn, Isa::portable) == "LPTRAIN_BACKEND=openblas");
}

TEST_CASE("unavailable() speaks exactly when available() says no") {
  const test::Caps restore;
  set_backend_cap(Backend::onednn);
  for (int cap = 0; cap <= static_cast<int>(Isa::amx); ++cap)
    for (int need = 0; need <= static_cast<int>(Isa::amx); ++need) {
      set_isa_cap(static_cast<Isa>(cap));
      const Isa needs = static_cast<Isa>(need);
      CHECK(unavailable(Backend::native, needs).empty() == available(Backend::native, needs));
      if (needs > cpu_isa()) CHECK(unavailable(Backend::native, needs).find(name_of(needs)) != std::string::npos);
    }
}

TEST_CASE("names") {
  CHECK(name_of(Isa::avx512_vnni) == "avx512_vnni");
  CHECK(name_of(Isa::amx) == "amx");
  CHECK(name_of(Backend::onednn) == "onednn");
  CHECK_FALSE(cpu_name().empty());
}

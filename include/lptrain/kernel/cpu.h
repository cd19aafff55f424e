// What this processor can do, and what the user allows: LPTRAIN_ISA and LPTRAIN_BACKEND cap the choice of kernel rows.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lp {

// Instruction sets that rows ask for, each including the ones before it (amx_int8 and amx_bf16 come together in hardware; the one
// processor that has bf16 without vpopcntdq, Cooper Lake, counts as avx512_vnni).
enum class Isa : uint8_t { portable, avx2, avx512, avx512_vnni, avx512_vpopcntdq, avx512_bf16, amx };

// Who wrote the kernel: rows of a higher value are skipped when LPTRAIN_BACKEND names a lower one.
enum class Backend : uint8_t { reference, native, openblas, onednn };

Isa cpu_isa();              // best of this machine, capped by LPTRAIN_ISA (read once; set_isa_cap for tests)
Backend backend_cap();      // LPTRAIN_BACKEND=reference|native|openblas|onednn; default onednn
void set_isa_cap(Isa cap);  // for tests, which walk every row
void set_backend_cap(Backend cap);
std::string_view name_of(Isa isa);
std::string_view name_of(Backend backend);

bool available(Backend backend, Isa needs);
std::string unavailable(Backend backend,
                        Isa needs);  // "" or why: "needs avx512_vnni, this CPU has avx2", "LPTRAIN_BACKEND=reference"

std::string cpu_name();  // "AMD EPYC 9R14", from the processor itself

}  // namespace lp

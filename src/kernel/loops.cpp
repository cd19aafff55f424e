// The table of instruction sets that the inner loops are compiled for.
#include "loops.h"

#include "lptrain/kernel/table.h"

namespace lp {
namespace {

struct NoKey {};  // every row takes every call

constexpr KernelRow<NoKey, const Loops> kRows[] = {
#if defined(__x86_64__)
    {"avx512", Backend::native, Isa::avx512, nullptr, &avx512::kLoops},
    {"avx2", Backend::native, Isa::avx2, nullptr, &avx2::kLoops},
#endif
    {"portable", Backend::reference, Isa::portable, nullptr, &portable::kLoops},
};

}  // namespace

const Loops& loops() { return *choose(std::span<const KernelRow<NoKey, const Loops>>(kRows), NoKey{}).run; }

}  // namespace lp

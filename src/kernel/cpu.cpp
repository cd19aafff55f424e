// Asks the processor what it can do, once, and the environment what it may do.
#include "lptrain/kernel/cpu.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "lptrain/base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lp {
namespace {

constexpr std::array<std::string_view, 7> kIsas{"portable",         "avx2",        "avx512", "avx512_vnni",
                                                "avx512_vpopcntdq", "avx512_bf16", "amx"};
constexpr std::array<std::string_view, 4> kBackends{"reference", "native", "openblas", "onednn"};

#if defined(__x86_64__)
enum Register { eax, ebx, ecx, edx };

// A feature bit as the processor reports it, for those that compilers have no name for (clang 14: f16c, AMX).
bool feature(unsigned leaf, unsigned subleaf, Register which, int bit) {
  unsigned r[4] = {};
  return __get_cpuid_count(leaf, subleaf, &r[eax], &r[ebx], &r[ecx], &r[edx]) && (r[which] >> bit & 1);
}

// The names also say that the operating system keeps the registers.
Isa detect() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && feature(1, 0, ecx, 29);
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const bool bf16 = feature(7, 1, eax, 5), amx = feature(7, 0, edx, 22) && feature(7, 0, edx, 24) && feature(7, 0, edx, 25);
  const bool vnni = __builtin_cpu_supports("avx512vnni"), vpopcntdq = __builtin_cpu_supports("avx512vpopcntdq");
  const std::array<bool, 6> has{avx2, avx512, vnni, vpopcntdq, bf16, amx};
  return static_cast<Isa>(std::find(has.begin(), has.end(), false) - has.begin());
}
#else
Isa detect() { return Isa::portable; }
#endif

// The cap that an environment variable spells; `all` if it is not set.
template <class Choice, size_t n>
Choice cap_of(const char* variable, const std::array<std::string_view, n>& names, Choice all) {
  const char* value = std::getenv(variable);
  if (!value || !*value) return all;
  const auto found = std::find(names.begin(), names.end(), value);
  std::string choices(names[0]);
  for (size_t i = 1; i < n; ++i) choices.append(", ").append(names[i]);
  require(found != names.end(), "environment variable {} is '{}'; it may be one of {}", variable, value, choices);
  return static_cast<Choice>(found - names.begin());
}

std::atomic<Isa>& isa_cap() {
  static std::atomic<Isa> cap = cap_of("LPTRAIN_ISA", kIsas, Isa::amx);
  return cap;
}

std::atomic<Backend>& backend_limit() {
  static std::atomic<Backend> cap = cap_of("LPTRAIN_BACKEND", kBackends, Backend::onednn);
  return cap;
}

Isa machine_isa() {
  static const Isa isa = detect();
  return isa;
}

}  // namespace

Isa cpu_isa() { return std::min(machine_isa(), isa_cap().load(std::memory_order_relaxed)); }
Backend backend_cap() { return backend_limit().load(std::memory_order_relaxed); }
void set_isa_cap(Isa cap) { isa_cap() = cap; }
void set_backend_cap(Backend cap) { backend_limit() = cap; }
std::string_view name_of(Isa isa) { return kIsas[static_cast<size_t>(isa)]; }
std::string_view name_of(Backend backend) { return kBackends[static_cast<size_t>(backend)]; }

bool available(Backend backend, Isa needs) { return backend <= backend_cap() && needs <= cpu_isa(); }

std::string unavailable(Backend backend, Isa needs) {
  if (backend > backend_cap()) return fmt::format("LPTRAIN_BACKEND={}", name_of(backend_cap()));
  if (needs <= cpu_isa()) return "";
  if (needs <= machine_isa()) return fmt::format("needs {}, LPTRAIN_ISA={}", name_of(needs), name_of(cpu_isa()));
  return fmt::format("needs {}, this CPU has {}", name_of(needs), name_of(machine_isa()));
}

std::string cpu_name() {
#if defined(__x86_64__)
  std::array<unsigned, 12> words{};
  for (unsigned i = 0; i < 3; ++i)
    if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3])) return "x86-64";
  std::array<char, sizeof words + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  std::string name(text.data());
  name.erase(0, name.find_first_not_of(' '));
  name.erase(name.find_last_not_of(' ') + 1);
  return name;
#else
  return "unknown";
#endif
}

}  // namespace lp

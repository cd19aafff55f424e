// What oneDNN's matrix products and convolutions share: the engine, reorders, scratch memory, errors.
#ifdef LPTRAIN_HAS_ONEDNN
#include "onednn.h"

#include <cstring>
#include <string_view>

#include "lptrain/kernel/cpu.h"
#include "scratch.h"

namespace lp::onednn {
namespace {

// LPTRAIN_ISA binds oneDNN as well; it listens only before its first primitive.
dnnl::engine first_engine() {
  using dnnl::cpu_isa;
  static constexpr cpu_isa caps[] = {
      cpu_isa::sse41, cpu_isa::avx2, cpu_isa::avx512_core, cpu_isa::avx512_core_vnni, cpu_isa::avx512_core_bf16, cpu_isa::all};
  dnnl::set_max_cpu_isa(caps[static_cast<size_t>(lp::cpu_isa())]);
  return {dnnl::engine::kind::cpu, 0};
}

dnnl::stream& stream() {
  thread_local dnnl::stream mine(engine());
  return mine;
}

dnnl::memory view(const dnnl::memory::desc& layout, const void* data) {
  return {layout, engine(), const_cast<void*>(data)};  // oneDNN has no const memory; inputs are only read
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine cpu = first_engine();
  return cpu;
}

dnnl::memory::data_type type_of(DType type) {
  using T = dnnl::memory::data_type;
  switch (type) {
    case DType::f32: return T::f32;
    case DType::bf16: return T::bf16;
    case DType::i8: return T::s8;
    case DType::u8: return T::u8;
    case DType::i32: return T::s32;
    default: return T::undef;
  }
}

bool has_vnni() {
  static const bool exact = [] {
    engine();
    const auto isa = dnnl::get_effective_cpu_isa();
    return isa == dnnl::cpu_isa::avx2_vnni || (isa >= dnnl::cpu_isa::avx512_core_vnni && isa != dnnl::cpu_isa::avx512_mic);
  }();
  return exact;
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

bool is_slow(const char* implementation) { return std::string_view(implementation).find("ref") != std::string_view::npos; }

Product::Port Product::port(const Operand& operand, bool output) {
  if (operand.plain == operand.wanted) return {operand, {}, {}};
  const auto &from = output ? operand.wanted : operand.plain, &to = output ? operand.plain : operand.wanted;
  const dnnl::reorder::primitive_desc chosen(engine(), from, engine(), to, user_scratchpad());
  return {operand, dnnl::reorder(chosen), chosen.scratchpad_desc()};
}

void Product::move(const Port& port, const dnnl::memory& from, const dnnl::memory& to) {
  const Scratch<char> scratch(static_cast<int64_t>(port.scratchpad.get_size()));
  port.reorder->execute(stream(),
                        {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, view(port.scratchpad, scratch.data())}});
}

Product::Product(dnnl::primitive primitive, const dnnl::memory::desc& scratchpad, const Operand& a, const Operand& b,
                 const Operand& c)
    : primitive_(std::move(primitive)), scratchpad_(scratchpad), a_(port(a, false)), b_(port(b, false)), c_(port(c, true)) {}

// oneDNN's mistakes as our errors.
template <class F>
void guarded(F&& f) {
  const Threads threads;
  try {
    f();
    stream().wait();
  } catch (const dnnl::error& e) {
    fail(ErrorKind::failure, "oneDNN failed to run a product: {}; try LPTRAIN_BACKEND=openblas", e.what());
  }
}

void Product::pack(const void* b, void* packed) const {
  if (!b_.reorder) return static_cast<void>(std::memcpy(packed, b, b_.operand.wanted.get_size()));
  guarded([&] { move(b_, view(b_.operand.plain, b), view(b_.operand.wanted, packed)); });
}

void Product::run_packed(const void* a, const void* packed, void* c) const {
  const auto own_bytes = [](const Port& p) { return p.reorder ? static_cast<int64_t>(p.operand.wanted.get_size()) : 0; };
  const Scratch<char> own_a(own_bytes(a_)), own_c(own_bytes(c_)), scratch(static_cast<int64_t>(scratchpad_.get_size()));
  guarded([&] {
    const auto input = view(a_.operand.wanted, a_.reorder ? own_a.data() : a);
    if (a_.reorder) move(a_, view(a_.operand.plain, a), input);
    const auto result = view(c_.operand.wanted, c_.reorder ? own_c.data() : c);
    primitive_.execute(stream(), {{a_.operand.argument, input},
                                  {b_.operand.argument, view(b_.operand.wanted, packed)},
                                  {c_.operand.argument, result},
                                  {DNNL_ARG_SCRATCHPAD, view(scratchpad_, scratch.data())}});
    if (c_.reorder) move(c_, result, view(c_.operand.plain, c));
  });
}

void Product::run(const void* a, const void* b, void* c) const {
  const Scratch<char> own_b(b_.reorder ? packed_bytes() : 0);
  if (b_.reorder) pack(b, own_b.data());
  run_packed(a, b_.reorder ? own_b.data() : b, c);
}

}  // namespace lp::onednn
#endif

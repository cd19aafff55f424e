// The table of passes: what each reads and writes, and the call.
#include "bench_passes.h"

#include <array>

#include "lptrain/kernel/cpu.h"
#include "lptrain/kernel/epilogue.h"
#include "lptrain/kernel/map.h"
#include "lptrain/kernel/passage.h"
#include "lptrain/kernel/pool.h"
#include "lptrain/kernel/quantize.h"
#include "lptrain/kernel/update.h"

namespace lp {
namespace {

// The output of cnn28's second convolution: the largest activation of the tasks.
constexpr PoolShape kPicture{.N = 64, .H = 28, .W = 28, .C = 64, .KH = 2, .KW = 2, .stride_h = 2, .stride_w = 2};
constexpr int64_t kC = kPicture.C, kRows = kPicture.N * kPicture.H * kPicture.W, kElements = kRows * kC, kBlock = 32;

// Memory for any pass.
struct Memory {
  std::vector<float> x, y, z, per_channel = std::vector<float>(kC, 0.01f),
                              per_block = std::vector<float>(kElements / kBlock, 0.125f);
  std::vector<int32_t> sums;
  std::vector<int8_t> codes;
  std::vector<uint16_t> halves;
  std::vector<uint8_t> where;
  Memory() : x(kElements), y(kElements), z(kElements), sums(kElements), codes(kElements), halves(kElements), where(kElements) {
    for (int64_t i = 0; i < kElements; ++i) x[static_cast<size_t>(i)] = Key(1).uniform(static_cast<uint64_t>(i)) - 0.5f;
    y = z = x;
  }
};

QuantizeKey to(const char* format, Rounding rounding = Rounding::nearest_even) {
  QuantizeKey key{.format = Format::parse(format)};
  key.rounding = rounding;
  key.lanes = {1, 1, kElements};
  return key;
}

QuantizeKey to_infinity(const char* format) {
  QuantizeKey key = to(format);
  key.overflow = Overflow::infinity;
  return key;
}

// To codes in bytes, to the bits of 16-bit floats, and to reals, with one scale for all but the halves.
void quantize_bytes(Memory& m, const QuantizeKey& key) {
  quantize(key, DType::f32, m.x.data(), m.per_channel.data(), DType::i8, m.codes.data());
}
void quantize_halves(Memory& m, const QuantizeKey& key, DType type) {
  quantize(key, DType::f32, m.x.data(), nullptr, type, m.halves.data());
}
void quantize_reals(Memory& m, const QuantizeKey& key) {
  quantize_values(key, DType::f32, m.x.data(), m.per_channel.data(), m.y.data());
}
// A scale for each 32 elements, as in MX.
void quantize_blocks(Memory& m, QuantizeKey key) {
  key.lanes = {1, kElements / kBlock, kBlock};
  quantize_values(key, DType::f32, m.x.data(), m.per_block.data(), m.y.data());
}
void quantize_affine(Memory& m) {
  QuantizeKey key = to("uint8");
  key.zero_point = 128;
  quantize(key, DType::f32, m.x.data(), m.per_channel.data(), DType::u8, m.where.data());
}

struct Pass {
  std::string_view family, name;
  double bytes;  // read and written, an element
  void (*run)(Memory& m);
};

const Pass kPasses[] = {
    {"map", "relu", 8, [](Memory& m) { relu(kElements, m.x.data(), m.y.data()); }},
    {"map", "relu_backward", 12, [](Memory& m) { relu_backward(kElements, m.x.data(), m.y.data(), m.z.data()); }},
    {"map", "add", 12, [](Memory& m) { add(kElements, m.x.data(), m.y.data(), m.z.data()); }},
    {"map", "add_bias", 8, [](Memory& m) { add_bias(kRows, kC, m.x.data(), m.per_channel.data(), m.y.data()); }},
    {"map", "column_sums", 4, [](Memory& m) { column_sums(kRows, kC, m.x.data(), m.per_channel.data()); }},
    {"map", "sum_squares", 4, [](Memory& m) { (void)sum_squares(kElements, m.x.data()); }},
    {"statistics", "absmax", 4,
     [](Memory& m) {
       absmax({1, 1, kElements}, DType::f32, m.x.data(), m.y.data());
     }},
    {"statistics", "minmax", 4,
     [](Memory& m) {
       minmax({1, 1, kElements}, DType::f32, m.x.data(), m.y.data(), m.z.data());
     }},
    {"quantize", "int8", 5, [](Memory& m) { quantize_bytes(m, to("int8")); }},
    {"quantize", "int8 stochastic", 5, [](Memory& m) { quantize_bytes(m, to("int8", Rounding::stochastic)); }},
    {"quantize", "uint8 zero point", 5, quantize_affine},
    {"quantize", "q3.4", 5, [](Memory& m) { quantize_bytes(m, to("q3.4")); }},
    {"quantize", "ternary", 5, [](Memory& m) { quantize_bytes(m, to("ternary")); }},
    {"quantize", "binary", 5, [](Memory& m) { quantize_bytes(m, to("binary")); }},
    {"quantize", "pow2_4", 5, [](Memory& m) { quantize_bytes(m, to("pow2_4")); }},
    {"quantize", "bf16", 6, [](Memory& m) { quantize_halves(m, to_infinity("bf16"), DType::bf16); }},
    {"quantize", "f16", 6, [](Memory& m) { quantize_halves(m, to_infinity("f16"), DType::f16); }},
    {"quantize", "bf16 values stochastic", 8, [](Memory& m) { quantize_reals(m, to("bf16", Rounding::stochastic)); }},
    {"quantize", "e4m3 values", 8, [](Memory& m) { quantize_reals(m, to("e4m3")); }},
    {"quantize", "e4m3 values stochastic", 8, [](Memory& m) { quantize_reals(m, to("e4m3", Rounding::stochastic)); }},
    {"quantize", "mxfp8_e4m3 values", 8.125, [](Memory& m) { quantize_blocks(m, to("e4m3")); }},
    {"quantize", "mxfp4 values", 8.125, [](Memory& m) { quantize_blocks(m, to("e2m1")); }},
    {"quantize", "mxint8 values", 8.125, [](Memory& m) { quantize_blocks(m, to("q1.6")); }},
    {"quantize", "posit8_2 values", 8, [](Memory& m) { quantize_reals(m, to("posit8_2")); }},
    {"quantize", "int8 back", 5,
     [](Memory& m) { dequantize(to("int8"), DType::i8, m.codes.data(), m.per_channel.data(), DType::f32, m.y.data()); }},
    {"pool", "max f32", 5.25, [](Memory& m) { max_pool(kPicture, m.x.data(), m.y.data(), m.where.data()); }},
    {"pool", "max i8", 1.5,
     [](Memory& m) { max_pool(kPicture, m.codes.data(), reinterpret_cast<int8_t*>(m.halves.data()), m.where.data()); }},
    {"pool", "max backward", 5.25, [](Memory& m) { max_pool_backward(kPicture, m.y.data(), m.where.data(), m.z.data()); }},
    {"epilogue", "rescale i32", 8,
     [](Memory& m) {
       rescale<float>({.w_scale = m.per_channel.data(), .bias = m.per_channel.data()}, kRows, kC, m.sums.data(), m.y.data());
     }},
    {"passage", "mark", 6, [](Memory& m) { mark_passage(kElements, m.x.data(), 0, 1, m.where.data()); }},
    {"passage", "scale_columns", 8, [](Memory& m) { scale_columns(kRows, kC, m.x.data(), m.per_channel.data(), m.y.data()); }},
    {"update", "sgd, momentum", 20,
     [](Memory& m) { sgd_update({.lr = 0, .momentum = 0.9}, kElements, m.x.data(), m.y.data(), m.z.data()); }},
    {"update", "adam", 28,
     [](Memory& m) {
       adam_update({.lr = 0}, kElements, m.x.data(), m.y.data(), m.z.data(), reinterpret_cast<float*>(m.sums.data()));
     }},
};

// While it lives, loops use no more than one instruction set.
class Capped {
 public:
  explicit Capped(Isa isa) : before_(cpu_isa()) { set_isa_cap(isa); }
  ~Capped() { set_isa_cap(before_); }
  Capped(const Capped&) = delete;
  Capped& operator=(const Capped&) = delete;

 private:
  Isa before_;
};

}  // namespace

int64_t pass_elements() { return kElements; }

std::vector<std::string_view> pass_families() {
  std::vector<std::string_view> names;
  for (const Pass& pass : kPasses)
    if (names.empty() || names.back() != pass.family) names.push_back(pass.family);
  return names;
}

void time_passes(std::string_view family, double seconds, double ceiling, const std::function<void(const KernelLine&)>& told) {
  Memory memory;
  const std::string shape = fmt::format("{}x{}x{}x{}", kPicture.N, kPicture.H, kPicture.W, kPicture.C);
  for (const Pass& pass : kPasses)
    for (const Isa isa : {Isa::avx512, Isa::avx2, Isa::portable}) {
      if (pass.family != family || !available(isa == Isa::portable ? Backend::reference : Backend::native, isa)) continue;
      const Capped capped(isa);
      const double best = fastest_call(seconds, [&] { pass.run(memory); });
      told({std::string(family), std::string(name_of(isa)), shape, std::string(pass.name),
            pass.bytes * static_cast<double>(kElements) / best, ceiling, "B/s"});
    }
}

}  // namespace lp

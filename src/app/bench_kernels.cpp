// The products of the tasks' layers, row by row.
#include "lptrain/app/bench_kernels.h"

#include <algorithm>
#include <set>

#include "bench_passes.h"
#include "lptrain/app/bench_cases.h"
#include "lptrain/base/random.h"
#include "lptrain/base/text.h"
#include "lptrain/kernel/product.h"
#include "lptrain/number/half.h"

namespace lp {
namespace {

constexpr double kMostOfReference = 2e7;  // operations

// Types of what meets in a layer, and what ceiling their products have.
struct Arithmetic {
  std::string_view ceiling;
  DType x, w, e, sums;
  Levels levels = Levels::any;  // of x and w
};
constexpr Arithmetic kArithmetics[] = {
    {"f32", DType::f32, DType::f32, DType::f32, DType::f32}, {"bf16", DType::bf16, DType::bf16, DType::bf16, DType::f32},
    {"f32", DType::f16, DType::f16, DType::f16, DType::f32}, {"i8", DType::u8, DType::i8, DType::i8, DType::i32},
    {"f64", DType::i16, DType::i16, DType::i16, DType::f64}, {"bits", DType::i8, DType::i8, DType::i8, DType::i32, Levels::signs},
};

std::vector<char> operand(DType type, Levels levels, int64_t n) {
  std::vector<char> memory(static_cast<size_t>(n * bytes_of(type)));
  const Key key(1);
  const auto fill = [&]<class T>(T, auto value) {
    T* const numbers = reinterpret_cast<T*>(memory.data());
    for (int64_t i = 0; i < n; ++i) numbers[i] = static_cast<T>(value(key.uniform(static_cast<uint64_t>(i)) - 0.5f));
  };
  switch (type) {
    case DType::f64: fill(double{}, [](float v) { return v; }); break;
    case DType::f32: fill(float{}, [](float v) { return v; }); break;
    case DType::f16: fill(uint16_t{}, [](float v) { return f16_bits(v); }); break;
    case DType::bf16: fill(uint16_t{}, [](float v) { return bf16_bits(v); }); break;
    case DType::i8: fill(int8_t{}, [&](float v) { return levels == Levels::signs ? (v < 0 ? -1.0f : 1.0f) : 254 * v; }); break;
    case DType::u8: fill(uint8_t{}, [](float v) { return 255 * (v + 0.5f); }); break;
    case DType::i16: fill(int16_t{}, [](float v) { return 65534 * v; }); break;
    case DType::i32: fill(int32_t{}, [](float v) { return 65534 * v; }); break;
  }
  return memory;
}

// A product to be timed on all rows of its table.
template <class Key>
struct Product {
  std::string family, shape;
  std::string_view ceiling;
  Key key;
  int64_t size_a, size_b, size_c;
  double operations;
};

template <class Key>
std::string types_of(const Key& key) {
  const auto name = [](DType type, Levels levels) { return levels == Levels::any ? name_of(type) : name_of(levels); };
  return fmt::format("{} {}", name(key.a, key.levels_a), name(key.b, key.levels_b));
}

template <class Row, class Key>
void time_rows(const Product<Key>& p, std::span<const Row> rows, double seconds, const MachineCeilings& machine,
               const std::function<void(const KernelLine&)>& told) {
  const std::vector<char> a = operand(p.key.a, p.key.levels_a, p.size_a), b = operand(p.key.b, p.key.levels_b, p.size_b);
  std::vector<char> c(static_cast<size_t>(p.size_c * bytes_of(p.key.c)));
  for (const Row& row : rows) {
    if (!why_not(row, p.key).empty()) continue;
    if (row.backend == Backend::reference && p.operations > kMostOfReference) continue;
    const double best = fastest_call(seconds, [&] { row.run(p.key, a.data(), b.data(), c.data()); });
    told({p.family, std::string(row.name), p.shape, types_of(p.key), p.operations / best,
          operations_ceiling(machine.operations, p.ceiling, cpu_isa()), "op/s"});
  }
}

std::vector<Product<MatmulKey>> matmuls(const ConvShape& s) {
  const int64_t N = s.N, O = s.O, C = s.C;
  const double operations = 2.0 * static_cast<double>(N) * static_cast<double>(O) * static_cast<double>(C);
  std::vector<Product<MatmulKey>> list;
  const auto add = [&](const Arithmetic& t, const MatmulKey& key) {
    const char* transposed = key.transpose_a ? " T" : key.transpose_b ? " BT" : "";
    list.push_back({"matmul", fmt::format("{}x{}x{}{}", key.m, key.n, key.k, transposed), t.ceiling, key, key.m * key.k,
                    key.k * key.n, key.m * key.n, operations});
  };
  for (const Arithmetic& t : kArithmetics) {
    add(t, {N, O, C, t.x, t.w, t.sums, false, true, false, {}, t.levels, t.levels});
    if (t.levels != Levels::any) continue;
    add(t, {N, C, O, t.e, t.w, t.sums});
    add(t, {O, C, N, t.e, t.x, t.sums, true, false});
  }
  return list;
}

std::vector<Product<ConvKey>> convolutions(const ConvShape& s) {
  const int64_t x = s.N * s.H * s.W * s.C, w = s.O * s.KH * s.KW * s.C / s.groups, y = s.N * s.OH() * s.OW() * s.O;
  const double operations = 2.0 * static_cast<double>(y) * static_cast<double>(w / s.O);
  const std::string shape = fmt::format("{}x{}x{}x{} -> {}, {}x{}{}", s.N, s.H, s.W, s.C, s.O, s.KH, s.KW,
                                        s.stride_h > 1 ? fmt::format(" / {}", s.stride_h) : "");
  std::vector<Product<ConvKey>> list;
  for (const Arithmetic& t : kArithmetics) {
    const ConvKey forward{ConvPass::forward, s, t.x, t.w, t.sums, {}, t.levels, t.levels};
    list.push_back({"conv2d", shape, t.ceiling, forward, x, w, y, operations});
    if (t.levels != Levels::any) continue;
    list.push_back({"conv2d dx", shape, t.ceiling, {ConvPass::backward_data, s, t.e, t.w, t.sums}, y, w, x, operations});
    list.push_back({"conv2d dw", shape, t.ceiling, {ConvPass::backward_weights, s, t.x, t.e, t.sums}, x, y, w, operations});
  }
  return list;
}

// What the tasks' layers multiply, each shape once; linear layers are convolutions of rows.
struct Shapes {
  std::set<ConvShape> linear, conv2d;
};
Shapes shapes_of_tasks() {
  Shapes shapes;
  for (const BenchTask& task : bench_tasks())
    for (const LayerLine& line : summarize(bench_config(task.name, "f32").model, task.input, 10)) {
      if (!line.product) continue;
      ConvShape shape = *line.product;
      shape.N *= task.batch;
      (line.kind == "linear" ? shapes.linear : shapes.conv2d).insert(shape);
    }
  return shapes;
}

bool is_wanted(const std::vector<std::string>& families, std::string_view family) {
  return families.empty() || std::ranges::find(families, family) != families.end();
}

constexpr std::string_view kProducts[] = {"matmul", "conv2d", "conv2d dx", "conv2d dw"};

}  // namespace

void KernelLine::fields(Fields& f) {
  f("family", family, "of kernels");
  f("row", row, "of its table, or instruction set");
  f("shape", shape, "of the call");
  f("types", types, "of the operands");
  f("rate", rate, "a second, in the fastest call");
  f("unit", unit, "of rate and ceiling");
  f("ceiling", ceiling, "of the machine in this arithmetic, or while copying memory; measured before");
}

MachineCeilings measure_machine(double seconds) {
  return {measure_ceilings(seconds), copy_ceiling(pass_elements() * bytes_of(DType::f32), seconds)};
}

std::vector<std::string> kernel_families() {
  std::vector<std::string> names(std::begin(kProducts), std::end(kProducts));
  for (const std::string_view family : pass_families()) names.emplace_back(family);
  return names;
}

void bench_kernels(const std::vector<std::string>& families, double seconds, const MachineCeilings& machine,
                   const std::function<void(const KernelLine&)>& told) {
  const std::vector<std::string> known = kernel_families();
  for (const std::string& name : families)
    require(std::ranges::find(known, name) != known.end(), "there is no family of kernels \"{}\"{}", name,
            suggestion(name, known));
  const Shapes shapes = shapes_of_tasks();
  for (const ConvShape& s : shapes.linear)
    for (const auto& p : matmuls(s))
      if (is_wanted(families, p.family)) time_rows(p, matmul_rows(), seconds, machine, told);
  for (const ConvShape& s : shapes.conv2d)
    for (const auto& p : convolutions(s))
      if (is_wanted(families, p.family)) time_rows(p, conv2d_rows(), seconds, machine, told);
  for (const std::string_view family : pass_families())
    if (is_wanted(families, family)) time_passes(family, seconds, machine.copy_bytes_per_second, told);
}

}  // namespace lp

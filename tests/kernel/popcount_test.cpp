// Counted products against the reference: all pairs of levels, on every instruction set that this machine has.
#include "operands.h"

using namespace lp;
using test::Operand;

namespace {

constexpr Levels kLeft[] = {Levels::bit, Levels::signs, Levels::ternary, Levels::two_bits, Levels::signed_two_bits};
constexpr Levels kRight[] = {Levels::bit, Levels::signs, Levels::ternary};

std::vector<int> values_of(Levels levels) {
  switch (levels) {
    case Levels::bit: return {0, 1};
    case Levels::signs: return {-1, 1};
    case Levels::ternary: return {-1, 0, 1};
    case Levels::two_bits: return {0, 1, 2, 3};
    case Levels::signed_two_bits: return {-2, -1, 0, 1};
    case Levels::any: break;
  }
  return {};
}

// Random codes, or the lowest or highest one everywhere.
enum class Draw { random, low, high };
Operand codes_of(Levels levels, int64_t n, uint64_t seed, Draw draw, DType type = DType::i8) {
  const std::vector<int> values = values_of(levels);
  test::Dice dice{seed};
  Operand made(type, n);
  for (int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<size_t>(dice.between(0, std::ssize(values) - 1));
    made.set(i, draw == Draw::random ? values[at] : draw == Draw::low ? values.front() : values.back());
  }
  return made;
}

// Every counted row of this machine gives what the reference gives, also where it refuses because others are faster; how many
// there are.
template <class Row, class Key>
int compare(std::span<const Row> rows, const Key& key, const Operand& a, const Operand& b, const Operand& before,
            const std::string& told) {
  Operand wanted = before;
  rows.back().run(key, a.data(), b.data(), wanted.data());
  int count = 0;
  for (const Row& row : rows) {
    if (!row.name.starts_with("popcount") || !available(row.backend, row.needs)) continue;
    ++count;
    Operand found = before;
    row.run(key, a.data(), b.data(), found.data());
    CHECK_MESSAGE(found == wanted, row.name, " ", name_of(key.levels_a), " x ", name_of(key.levels_b), ": ", told);
  }
  return count;
}

int counted_rows() {
  const test::Caps now;
  if (now.backend < Backend::native) return 0;
  return now.isa >= Isa::avx512_vpopcntdq ? 3 : now.isa >= Isa::avx2 ? 2 : 1;
}

void compare_matmul(MatmulKey key, Draw draw) {
  const Operand a = codes_of(key.levels_a, key.m * key.k, 1, draw, key.a),
                b = codes_of(key.levels_b, key.k * key.n, 2, draw, key.b);
  const Operand before = test::random_integers(DType::i32, key.m * key.n, 3);
  const int rows = compare(matmul_rows(), key, a, b, before, fmt::format("{}x{}x{}", key.m, key.n, key.k));
  CHECK(rows == counted_rows());
}

void compare_conv(const ConvShape& s, Levels left, Levels right, Draw draw) {
  const ConvKey key{ConvPass::forward, s, DType::i8, DType::i8, DType::i32, {}, left, right};
  const Operand x = codes_of(left, s.N * s.H * s.W * s.C, 1, draw), w = codes_of(right, s.O * s.KH * s.KW * s.C, 2, draw);
  const Operand before = test::constant_operand(DType::i32, s.N * s.OH() * s.OW() * s.O, 77);  // does not matter
  const std::string told = fmt::format("{}x{}x{} -> {}, {}x{}, pad {} {}", s.H, s.W, s.C, s.O, s.KH, s.KW, s.pad_h, s.pad_w);
  const int rows = compare(conv2d_rows(), key, x, w, before, told);
  CHECK(rows == counted_rows());
}

// N H W C O KH KW, stride, pad, dilation
constexpr ConvShape kShapes[] = {
    {2, 5, 7, 3, 20, 1, 1},
    {2, 6, 5, 32, 64, 3, 3, 1, 1, 1, 1},
    {1, 9, 8, 16, 33, 5, 5, 1, 1, 2, 2},
    {3, 8, 8, 1, 17, 3, 3, 1, 1, 1, 1},
    {1, 11, 9, 40, 24, 3, 2, 2, 3, 1, 2},
    {1, 13, 11, 9, 32, 3, 3, 1, 1, 2, 0, 2, 2},
    {1, 9, 12, 8, 16, 3, 2, 2, 1, 4, 3, 1, 3},
    {1, 3, 4, 64, 40, 3, 4, 1, 1, 5, 6},
};

}  // namespace

TEST_CASE("counted matrix products equal the reference: levels, odd sizes, transposes, accumulation") {
  for (const Levels left : kLeft)
    for (const Levels right : kRight)
      for (const int64_t k : {1, 7, 63, 64, 65, 129, 1000})
        for (int flags = 0; flags < 8; ++flags) {
          MatmulKey key{7,  35,   k,    DType::i8, DType::i8, DType::i32, bool(flags & 1), bool(flags & 2), bool(flags & 4),
                        {}, left, right};
          compare_matmul(key, Draw::random);
          if (flags == 2) compare_matmul(key, Draw::low), compare_matmul(key, Draw::high);
        }
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{1, 1}, {13, 16}, {25, 17}, {50, 33}, {1, 64}, {3, 100}})
    for (const Levels left : kLeft)
      compare_matmul({m, n, 200, DType::i8, DType::i8, DType::i32, false, true, false, {}, left, Levels::signs}, Draw::random);
}

TEST_CASE("counted products take signed and unsigned bytes alike") {
  for (const Levels left : {Levels::bit, Levels::two_bits})
    compare_matmul({9, 18, 77, DType::u8, DType::u8, DType::i32, false, true, false, {}, left, Levels::bit}, Draw::random);
}

TEST_CASE("counted convolutions equal the reference: levels, channels, strides, dilations, padding with zeros") {
  for (const Levels left : kLeft)
    for (const Levels right : kRight)
      for (const ConvShape& s : kShapes)
        for (const Draw draw : {Draw::random, Draw::low, Draw::high}) compare_conv(s, left, right, draw);
}

TEST_CASE("counted rows refuse what they cannot count") {
  const ConvShape s{.N = 1, .H = 4, .W = 4, .C = 64, .O = 64, .KH = 3, .KW = 3};
  ConvShape grouped = s, thin = s, pointwise = s;
  grouped.groups = 2;
  thin.C = 8;
  pointwise.KH = pointwise.KW = 1;
  const auto takes = [](ConvPass pass, const ConvShape& shape, Levels left, Levels right) {
    const ConvKey key{pass, shape, DType::i8, DType::i8, DType::i32, {}, left, right};
    return std::ranges::any_of(conv2d_rows(), [&](const ConvRow& r) { return r.name == "popcount_portable" && !r.refuses(key); });
  };
  CHECK(takes(ConvPass::forward, s, Levels::signs, Levels::signs));
  CHECK_FALSE(takes(ConvPass::backward_data, s, Levels::signs, Levels::signs));
  CHECK_FALSE(takes(ConvPass::backward_weights, s, Levels::signs, Levels::signs));
  CHECK_FALSE(takes(ConvPass::forward, grouped, Levels::signs, Levels::signs));
  CHECK_FALSE(takes(ConvPass::forward, thin, Levels::signs, Levels::signs));
  CHECK(takes(ConvPass::forward, pointwise, Levels::signs, Levels::signs));
  CHECK_FALSE(takes(ConvPass::forward, pointwise, Levels::two_bits, Levels::signs));  // 64 terms for two bits
  CHECK_FALSE(takes(ConvPass::forward, s, Levels::any, Levels::signs));
  CHECK_FALSE(takes(ConvPass::forward, s, Levels::signs, Levels::any));
  CHECK_FALSE(takes(ConvPass::forward, s, Levels::signs, Levels::signed_two_bits));
}

TEST_CASE("whatever is capped, products of few levels are right, in plans and in calls") {
  const test::Caps restore;
  const ConvShape s = kShapes[1];
  const ConvKey key{ConvPass::forward, s, DType::i8, DType::i8, DType::i32, {}, Levels::signs, Levels::signs};
  const Operand x = codes_of(Levels::signs, s.N * s.H * s.W * s.C, 1, Draw::random),
                w = codes_of(Levels::signs, s.O * s.KH * s.KW * s.C, 2, Draw::random);
  Operand wanted(DType::i32, s.N * s.OH() * s.OW() * s.O), found = wanted;
  conv2d_rows().back().run(key, x.data(), w.data(), wanted.data());
  for (int isa = 0; isa <= static_cast<int>(Isa::amx); ++isa) {
    set_isa_cap(static_cast<Isa>(isa));
    conv2d(key, x.data(), w.data(), found.data());
    CHECK(found == wanted);
    found = Operand(DType::i32, wanted.size());
    ConvPlan(key, w.data()).run(x.data(), found.data());
    CHECK(found == wanted);
  }
}

// Every row of the convolutions against the reference; the reference against a hand-made case, the matrix product and the adjoint
// identity.
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "operands.h"

using namespace lp;
using test::Operand;

namespace {

// N H W C O KH KW, stride, pad, dilation, groups
constexpr ConvShape kShapes[] = {
    {1, 1, 1, 1, 1, 1, 1},
    {2, 5, 7, 3, 4, 1, 1},
    {2, 6, 5, 16, 32, 3, 3, 1, 1, 1, 1},
    {3, 9, 8, 1, 20, 5, 5},
    {2, 8, 8, 3, 16, 3, 3, 1, 1, 1, 1},
    {2, 7, 7, 17, 33, 3, 3, 1, 1, 1, 1},
    {2, 11, 9, 5, 6, 3, 2, 2, 3, 1, 2},
    {2, 10, 10, 16, 16, 3, 3, 2, 2, 1, 1},
    {1, 9, 12, 8, 8, 3, 3, 1, 1, 2, 2, 2, 2},
    {1, 13, 11, 4, 7, 3, 5, 3, 1, 0, 4, 1, 2},
    {2, 6, 6, 8, 12, 3, 3, 1, 1, 1, 1, 1, 1, 4},
    {2, 7, 6, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 16},
    {1, 7, 6, 6, 12, 3, 3, 2, 1, 1, 0, 1, 1, 6},
    {1, 3, 4, 2, 3, 5, 6, 1, 1, 2, 3},
    {2, 5, 5, 32, 16, 1, 1, 2, 2},
    {1, 4, 4, 3, 2, 2, 2, 1, 1, 3, 3},
};
constexpr ConvPass kPasses[] = {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights};

int64_t size_x(const ConvShape& s) { return s.N * s.H * s.W * s.C; }
int64_t size_w(const ConvShape& s) { return s.O * s.KH * s.KW * s.C / s.groups; }
int64_t size_y(const ConvShape& s) { return s.N * s.OH() * s.OW() * s.O; }
int64_t size_a(const ConvKey& key) { return key.pass == ConvPass::backward_data ? size_y(key.shape) : size_x(key.shape); }
int64_t size_b(const ConvKey& key) { return key.pass == ConvPass::backward_weights ? size_y(key.shape) : size_w(key.shape); }
int64_t size_c(const ConvKey& key) {
  if (key.pass == ConvPass::forward) return size_y(key.shape);
  return key.pass == ConvPass::backward_data ? size_x(key.shape) : size_w(key.shape);
}
int64_t terms(const ConvKey& key) {
  const ConvShape& s = key.shape;
  return key.pass == ConvPass::backward_weights ? s.N * s.OH() * s.OW() : s.KH * s.KW * std::max(s.C, s.O);
}

std::string told(const ConvKey& key, std::string_view row) {
  const ConvShape& s = key.shape;
  static constexpr const char* passes[] = {"forward", "backward_data", "backward_weights"};
  return fmt::format("{} {} {} {}: {}x{}x{}x{} -> {}, {}x{}, stride {} {}, pad {} {}, dilation {} {}, groups {}", row,
                     passes[static_cast<int>(key.pass)], name_of(key.a), name_of(key.b), s.N, s.H, s.W, s.C, s.O, s.KH, s.KW,
                     s.stride_h, s.stride_w, s.pad_h, s.pad_w, s.dilation_h, s.dilation_w, s.groups);
}

Operand run(const ConvRow& row, const ConvKey& key, const Operand& a, const Operand& b) {
  Operand c = test::constant_operand(key.c, size_c(key), key.c == DType::i32 ? 77 : NAN);  // what was there must not matter
  row.run(key, a.data(), b.data(), c.data());
  return c;
}

Operand scale_of(ConvKey key, const Operand& a, const Operand& b) {
  key.a = key.b = key.c = DType::f64;
  return run(conv2d_rows().back(), key, test::magnitudes(a), test::magnitudes(b));
}

// NaN for infinity and the other way round: a row may pair an infinity with a zero of its own padding.
void forget_kind(Operand& c) {
  for (int64_t i = 0; i < c.size(); ++i)
    if (!std::isfinite(c.at(i))) c.set(i, NAN);
}

int compare_rows(const ConvKey& key, const Operand& a, const Operand& b, bool finite = true) {
  const bool exact = test::is_integer(key.a);
  Operand wanted = run(conv2d_rows().back(), key, a, b);
  const Operand scale = exact ? wanted : scale_of(key, a, b);
  if (!finite) forget_kind(wanted);
  int rows = 0;
  for (const ConvRow& row : conv2d_rows()) {
    if (!why_not(row, key).empty()) continue;
    ++rows;
    Operand found = run(row, key, a, b);
    if (!finite) forget_kind(found);
    const std::string wrong = test::difference(found, wanted, scale, terms(key), exact);
    CHECK_MESSAGE(wrong.empty(), told(key, row.name), ": ", wrong);
  }
  return rows;
}

// The product that the table chooses.
Operand product(ConvPass pass, const ConvShape& shape, const test::Types& t, const Operand& a, const Operand& b) {
  const ConvKey key{pass, shape, t.a, t.b, t.c};
  Operand c(t.c, size_c(key));
  conv2d(key, a.data(), b.data(), c.data());
  return c;
}

int64_t dot(const Operand& x, const Operand& y) {
  int64_t sum = 0;
  for (int64_t i = 0; i < x.size(); ++i) sum += static_cast<int64_t>(x.at(i)) * static_cast<int64_t>(y.at(i));
  return sum;
}

}  // namespace

TEST_CASE("a convolution done by hand") {
  const ConvShape s{.N = 1, .H = 2, .W = 3, .C = 1, .O = 1, .KH = 2, .KW = 2, .pad_w = 1};
  Operand x(DType::f32, 6), w(DType::f32, 4);
  for (int64_t i = 0; i < 6; ++i) x.set(i, static_cast<double>(i + 1));  // 1 2 3 / 4 5 6
  for (int64_t i = 0; i < 4; ++i) w.set(i, std::pow(10, i));             // 1 10 / 100 1000
  const Operand y = product(ConvPass::forward, s, {DType::f32, DType::f32, DType::f32}, x, w);
  REQUIRE(y.size() == 4);
  CHECK(y.at(0) == 4010);
  CHECK(y.at(1) == 5421);
  CHECK(y.at(2) == 6532);
  CHECK(y.at(3) == 603);
}

TEST_CASE("a filter that covers the image is a matrix product") {
  const ConvShape s{.N = 5, .H = 3, .W = 4, .C = 6, .O = 7, .KH = 3, .KW = 4};
  for (const auto& t : test::kTypes) {
    if (!test::is_integer(t.a)) continue;
    const Operand x = test::random_operand(t.a, size_x(s), 1), w = test::random_operand(t.b, size_w(s), 2);
    Operand y(t.c, size_y(s));
    matmul({5, 7, 72, t.a, t.b, t.c, false, true}, x.data(), w.data(), y.data());
    for (const ConvRow& row : conv2d_rows())
      if (const ConvKey key{ConvPass::forward, s, t.a, t.b, t.c}; why_not(row, key).empty())
        CHECK_MESSAGE(test::difference(run(row, key, x, w), y, y, 0, true) == "", told(key, row.name));
  }
}

TEST_CASE("every row equals the reference: shapes, passes, types") {
  for (const auto& t : test::kTypes) {
    int rows = 0;
    for (const ConvShape& s : kShapes)
      for (const ConvPass pass : kPasses) {
        const ConvKey key{pass, s, t.a, t.b, t.c};
        rows += compare_rows(key, test::random_operand(t.a, size_a(key), 1), test::random_operand(t.b, size_b(key), 2));
      }
    if (backend_cap() > Backend::reference) CHECK(rows > 2 * static_cast<int>(std::size(kShapes) * std::size(kPasses)) - 10);
  }
}

TEST_CASE("the gradients are the adjoints of forward, exactly") {
  const test::Types forward{DType::u8, DType::i8, DType::i32}, data{DType::i8, DType::i8, DType::i32};
  const test::Types weights{DType::u8, DType::i8, DType::i32};
  for (const ConvShape& s : kShapes) {
    const Operand x = test::random_operand(DType::u8, size_x(s), 1), w = test::random_operand(DType::i8, size_w(s), 2);
    const Operand dy = test::random_operand(DType::i8, size_y(s), 3);
    const int64_t wanted = dot(product(ConvPass::forward, s, forward, x, w), dy);
    CHECK(dot(x, product(ConvPass::backward_data, s, data, dy, w)) == wanted);
    CHECK(dot(w, product(ConvPass::backward_weights, s, weights, x, dy)) == wanted);
  }
}

// The end of the range nearly everywhere, so that odd sums beyond 2^24 show a row that adds in f32.
Operand nearly_constant(DType type, int64_t n, double value) {
  Operand made = test::constant_operand(type, n, value);
  for (int64_t i = 0; i < n; i += 97) made.set(i, value > 0 ? value - 1 : value + 1);
  return made;
}

TEST_CASE("extreme integers do not saturate or lose bits in any pass") {
  constexpr ConvShape shapes[] = {
      {1, 5, 5, 160, 144, 3, 3, 1, 1, 1, 1}, {2, 6, 6, 64, 32, 3, 3, 2, 2, 1, 1}, {40, 8, 7, 16, 16, 3, 3}};
  for (const auto& t : test::kTypes) {
    if (!test::is_integer(t.a)) continue;
    for (const ConvShape& s : shapes)
      for (const ConvPass pass : kPasses) {
        const ConvKey key{pass, s, t.a, t.b, t.c};
        for (const double x : {test::lowest(t.a), test::highest(t.a)})
          for (const double y : {test::lowest(t.b), test::highest(t.b)})
            if (x != 0 && y != 0) compare_rows(key, nearly_constant(t.a, size_a(key), x), nearly_constant(t.b, size_b(key), y));
      }
  }
}

TEST_CASE("NaN and infinity in the data reach what reads them, and nothing else") {
  const ConvShape s{
      .N = 2, .H = 7, .W = 6, .C = 16, .O = 17, .KH = 3, .KW = 3};  // no padding: 0 * NaN there is nobody's business
  for (const auto& t : test::kTypes) {
    if (test::is_integer(t.a)) continue;
    for (const ConvPass pass : kPasses) {
      const ConvKey key{pass, s, t.a, t.b, t.c};
      Operand a = test::random_operand(t.a, size_a(key), 1);
      Operand b = test::constant_operand(t.b, size_b(key), 0.5);
      a.set(5, NAN);
      a.set(a.size() / 2, INFINITY);
      a.set(a.size() - 1, -INFINITY);
      compare_rows(key, a, b, false);
    }
  }
}

TEST_CASE("whatever is capped, the chosen row is allowed and right") {
  const test::Caps restore;
  for (const auto& t : test::kTypes)
    for (const ConvPass pass : kPasses) {
      const ConvKey key{pass, kShapes[4], t.a, t.b, t.c};
      const Operand a = test::random_operand(t.a, size_a(key), 1), b = test::random_operand(t.b, size_b(key), 2);
      const Operand wanted = run(conv2d_rows().back(), key, a, b), scale = scale_of(key, a, b);
      for (int isa = 0; isa <= static_cast<int>(Isa::amx); ++isa)
        for (int backend = 0; backend <= static_cast<int>(Backend::onednn); ++backend) {
          set_isa_cap(static_cast<Isa>(isa));
          set_backend_cap(static_cast<Backend>(backend));
          const ConvRow& row = choose(conv2d_rows(), key);
          CHECK(available(row.backend, row.needs));
          CHECK(test::difference(product(pass, key.shape, t, a, b), wanted, scale, terms(key), test::is_integer(t.a)) == "");
        }
    }
}

TEST_CASE("convolutions are right inside a parallel loop and on any thread count") {
  const int before = thread_count();
  for (const auto& t : test::kTypes)
    for (const ConvPass pass : kPasses) {
      const ConvKey key{pass, kShapes[2], t.a, t.b, t.c};
      const Operand a = test::random_operand(t.a, size_a(key), 1), b = test::random_operand(t.b, size_b(key), 2);
      const Operand wanted = run(conv2d_rows().back(), key, a, b), scale = scale_of(key, a, b);
      for (const int threads : {1, 2, 3}) {
        set_thread_count(threads);
        std::vector<Operand> found(6, Operand(t.c, size_c(key)));
        parallel_for(6, 1, [&](int64_t i) { conv2d(key, a.data(), b.data(), found[static_cast<size_t>(i)].data()); });
        found.push_back(product(pass, key.shape, t, a, b));
        for (const Operand& f : found) CHECK(test::difference(f, wanted, scale, terms(key), test::is_integer(t.a)) == "");
      }
    }
  set_thread_count(before);
}

TEST_CASE("no images: nothing, and zero weight gradients") {
  const ConvShape s{.N = 0, .H = 4, .W = 4, .C = 2, .O = 3, .KH = 3, .KW = 3};
  for (const auto& t : test::kTypes) {
    conv2d({ConvPass::forward, s, t.a, t.b, t.c}, nullptr, nullptr, nullptr);
    Operand dw = test::constant_operand(t.c, size_w(s), 9);
    conv2d({ConvPass::backward_weights, s, t.a, t.b, t.c}, nullptr, nullptr, dw.data());
    CHECK(dw == test::constant_operand(t.c, size_w(s), 0));
  }
}

TEST_CASE("convolutions that cannot be are errors") {
  const ConvShape good{.N = 1, .H = 4, .W = 4, .C = 4, .O = 4, .KH = 3, .KW = 3};
  const auto refused = [](ConvShape s, DType a = DType::f32) {
    CHECK_THROWS_AS(conv2d({ConvPass::forward, s, a, DType::f32, DType::f32}, nullptr, nullptr, nullptr), Error);
  };
  refused(good, DType::bf16);
  for (int64_t ConvShape::*member : {&ConvShape::H, &ConvShape::C, &ConvShape::O, &ConvShape::KW, &ConvShape::stride_h,
                                     &ConvShape::dilation_w, &ConvShape::groups}) {
    ConvShape s = good;
    s.*member = 0;
    refused(s);
  }
  for (int64_t ConvShape::*member : {&ConvShape::N, &ConvShape::pad_h, &ConvShape::pad_w}) {
    ConvShape s = good;
    s.*member = -1;
    refused(s);
  }
  ConvShape uneven = good, large = good;
  uneven.groups = 3;
  large.KH = 5;
  refused(uneven);
  refused(large);
}

TEST_CASE("the check of integer rows finds them exact, or says why it did not look") {
  const auto lines = check_integer_rows();
  CHECK(lines.size() >= 4);
  for (const RowCheck& line : lines) {
    const bool fine = line.outcome.empty() || line.outcome.starts_with("not checked");
    CHECK_MESSAGE(fine, line.family, " ", line.row, ": ", line.outcome);
  }
}

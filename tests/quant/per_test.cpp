// Granularities: their grammar, and which elements share a scale.
#include "lptrain/quant/per.h"

#include <doctest/doctest.h>

#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

std::vector<double> seen(const Tensor& x, std::string_view json, int axis = -1) {
  return numbers_of(quantized(x, quantizer(json), axis, {}));
}

// Each element as absmax quantizes it to int4_narrow together with all that `same` puts into one set with it.
template <class F>
std::vector<double> by_sets(const Tensor& x, F set_of) {
  const std::vector<double> in = numbers_of(x);
  std::vector<double> out;
  for (size_t i = 0; i < in.size(); ++i) {
    float most = 0;
    for (size_t j = 0; j < in.size(); ++j)
      if (set_of(j) == set_of(i)) most = std::max(most, static_cast<float>(std::abs(in[j])));
    const float s = static_cast<float>(static_cast<double>(most) / 7);
    out.push_back(static_cast<double>(std::nearbyint(static_cast<float>(in[i]) / s) * s));
  }
  return out;
}

}  // namespace

TEST_CASE("names come back, nonsense is explained") {
  for (const char* name : {"tensor", "channel", "sample", "group:2", "block:32", "block:1", "network"})
    CHECK(Per::parse(name).name() == name);
  const std::pair<const char*, const char*> kWrong[] = {{"block", "block:32"},       {"block:", "from 1 up"},
                                                        {"block:0", "from 1 up"},    {"group:-3", "from 1 up"},
                                                        {"block:x", "from 1 up"},    {"block:3.5", "from 1 up"},
                                                        {"tensor:3", "has no size"}, {"blok:3", "unknown granularity"},
                                                        {"chanel", "channel"},       {"block:99999999999999999999", "from 1 up"}};
  for (const auto& [text, why] : kWrong) {
    const std::string error = error_of([&wrong = text] { Per::parse(wrong); });
    CHECK_MESSAGE(holds(error, why), error);
  }
}

TEST_CASE("who shares a scale") {
  const Tensor x = random_normal({4, 3, 6}, Key(3));
  constexpr const char* kInt4 = R"({{"format": "int4", "narrow": true, "per": "{}"}})";
  auto with = [&](const char* per) { return seen(x, fmt::format(kInt4, per)); };
  CHECK(with("tensor") == by_sets(x, [](size_t) { return 0; }));
  CHECK(with("channel") == by_sets(x, [](size_t i) { return i % 6; }));
  CHECK(with("sample") == by_sets(x, [](size_t i) { return i / 18; }));
  CHECK(with("group:2") == by_sets(x, [](size_t i) { return i % 6 / 2; }));
  CHECK(with("block:3") == by_sets(x, [](size_t i) { return i / 3; }));
  CHECK(with("block:4") == by_sets(x, [](size_t i) { return std::pair(i / 6, i % 6 / 4); }));  // the second one is shorter
  CHECK(with("block:32") == by_sets(x, [](size_t i) { return i / 6; }));
  CHECK(seen(x, fmt::format(kInt4, "group:2"), 0) == by_sets(x, [](size_t i) { return i / 36; }));
}

TEST_CASE("groups that do not divide the channels are refused with what would") {
  const std::string error = error_of([] { seen(Tensor::zeros({2, 10}), R"({"format": "int8", "per": "group:4"})"); });
  CHECK(holds(error, "10 channels"));
  CHECK(holds(error, "divisor of 10"));
}

TEST_CASE("codes carry scales per channel, group and sample; blocks are reals") {
  const Tensor x = random_normal({4, 6}, Key(5));
  auto codes = [&](const char* per) {
    const Quantizer q = quantizer(fmt::format(R"({{"format": "int8", "per": "{}"}})", per));
    const Value v = quantize(Var(x), Var(fit_to(x, q, 0).scale), {&q, 0}).value;
    return v.codes() ? std::optional<Codes>(*v.codes()) : std::nullopt;
  };
  CHECK(codes("group:2")->axis == 0);
  CHECK(codes("group:2")->scale.size() == 4);
  CHECK(codes("group:2")->scale_of(0) == codes("group:2")->scale_of(1));
  CHECK(codes("sample")->axis == 0);
  CHECK(codes("tensor")->axis == -1);
  CHECK_FALSE(codes("block:3"));
}

TEST_CASE("the gradient of shorter last blocks is that of whole ones") {
  const Tensor x = random_normal({3, 5}, Key(7)), dy = random_normal({3, 5}, Key(8));
  const Quantizer q = quantizer(R"({"format": "int4", "per": "block:2", "scale": "learned"})");
  const Tensor s = Tensor::full({9}, 0.3);
  Tape tape;
  const Var vx = tape.leaf(x), vs = tape.leaf(s);
  const Gradients g = tape.backward(quantize(vx, vs, {&q}), dy);
  CHECK(g.of(vx).shape() == x.shape());
  const Quantizer each = quantizer(R"({"format": "int4", "per": "block:1", "scale": "learned"})");
  Tape other;
  const Var ux = other.leaf(x), us = other.leaf(Tensor::full({15}, 0.3));
  const Gradients h = other.backward(quantize(ux, us, {&each}), dy);
  CHECK(numbers_of(g.of(vx)) == numbers_of(h.of(ux)));
  const std::vector<double> ds = numbers_of(g.of(vs)), single = numbers_of(h.of(us));
  for (size_t row = 0; row < 3; ++row) {
    CHECK(ds[3 * row] == doctest::Approx(single[5 * row] + single[5 * row + 1]));
    CHECK(ds[3 * row + 2] == doctest::Approx(single[5 * row + 4]));
  }
}

// Values: reals and codes, and when one is made of the other.
#include "lptrain/tensor/value.h"

#include <doctest/doctest.h>

#include "lptrain/number/half.h"
#include "support/random_tensor.h"

namespace lp {
namespace {

Codes int8_codes() {
  return {Tensor::of<int8_t>({2, 3}, {-128, 0, 1, 2, 3, 127}), Format::parse("int8"), Tensor::full({1}, 0.5)};
}

}  // namespace

TEST_CASE("a value of reals is its tensor") {
  const Tensor t = random_normal({2, 3}, Key(1), DType::f64);
  const Value v = t;
  CHECK(v);
  CHECK(v.has_tensor());
  CHECK(v.codes() == nullptr);
  CHECK(v.dtype() == DType::f64);
  CHECK(v.tensor().raw() == t.raw());
  CHECK_FALSE(Value());
  CHECK(Value().codes() == nullptr);
}

TEST_CASE("the reals of codes are made when asked for, once") {
  const Value v{int8_codes()};
  CHECK_FALSE(v.has_tensor());
  CHECK(v.shape() == Shape{2, 3});
  CHECK(v.dtype() == DType::f32);
  const Value same = v;
  CHECK(numbers_of(same.tensor()) == std::vector<double>{-64, 0, 0.5, 1, 1.5, 63.5});
  CHECK(v.has_tensor());  // handles share what was made
  CHECK(v.tensor().raw() == same.tensor().raw());
  CHECK(v.reals().codes() == nullptr);
}

TEST_CASE("codes are decoded with zero point, channel scale and format") {
  Codes c = int8_codes();
  c.codes = Tensor::of<uint8_t>({2, 3}, {0, 10, 20, 30, 40, 255});
  c.format = Format::parse("uint8");
  c.zero_point = 10;
  CHECK(numbers_of(Value(c, DType::f64).tensor()) == std::vector<double>{-5, 0, 5, 10, 15, 122.5});

  c = int8_codes();
  c.scale = Tensor::of<float>({3}, {1, 10, 100});
  c.axis = 1;
  CHECK(numbers_of(decode(c)) == std::vector<double>{-128, 0, 100, 2, 30, 12700});
  c.scale = Tensor::of<float>({2}, {1, 10});
  c.axis = 0;
  CHECK(numbers_of(decode(c)) == std::vector<double>{-128, 0, 1, 20, 30, 1270});

  c = int8_codes();
  c.format = Format::parse("q2.5");  // codes are 32nds
  c.scale = Tensor::full({1}, 1);
  CHECK(numbers_of(decode(c))[5] == 127.0 / 32);
}

TEST_CASE("bf16 values hold their bit patterns") {
  const Codes c{Tensor(Shape{2}, DType::bf16), kBf16, Tensor::full({1}, 1)};
  Codes filled = c;
  filled.codes.data<uint16_t>()[0] = bf16_bits(1.5f);
  filled.codes.data<uint16_t>()[1] = bf16_bits(-3);
  CHECK(numbers_of(decode(filled)) == std::vector<double>{1.5, -3});
}

TEST_CASE("moving a value moves codes if there are any, else reals") {
  const auto flat = [](const Tensor& t) { return t.reshape({6}); };
  const Value moved = Value(int8_codes()).moved(flat);
  REQUIRE(moved.codes());
  CHECK_FALSE(moved.has_tensor());
  CHECK(moved.codes()->codes.shape() == Shape{6});
  CHECK(numbers_of(moved.tensor())[5] == 63.5);

  Codes channels = int8_codes();
  channels.scale = Tensor::of<float>({3}, {1, 10, 100});
  channels.axis = 1;
  CHECK(Value(channels).moved(flat).codes() == nullptr);
  CHECK(Value(random_normal({2, 3}, Key(1))).moved(flat).shape() == Shape{6});
}

TEST_CASE("storage is the smallest type that holds the codes") {
  const auto storage = [](const char* format) { return storage_of(Format::parse(format), 0); };
  CHECK(storage("int8") == DType::i8);
  CHECK(storage("int4") == DType::i8);
  CHECK(storage("uint7") == DType::i8);
  CHECK(storage("uint8") == DType::u8);
  CHECK(storage("q3.4") == DType::i8);
  CHECK(storage("ternary") == DType::i8);
  CHECK(storage("int9") == DType::i16);
  CHECK(storage("uint16") == DType::i32);
  CHECK(storage("bf16") == DType::bf16);
  CHECK(storage("f16") == DType::f16);
  CHECK_THROWS_AS(storage_of(Format::parse("uint8"), -1), Error);
  CHECK_FALSE(has_codes(kF32));
  CHECK(has_codes(kBf16));
  CHECK(has_codes(Format::parse("int5")));
}

TEST_CASE("mistakes are named") {
  CHECK_THROWS_WITH_AS(Value(Tensor::zeros({2}, DType::i8)), "a value holds f32 or f64 reals, or codes; found bare i8", Error);
  CHECK_THROWS_WITH_AS(Value(Tensor::zeros({2}), int8_codes()), "codes [2,3] and reals [2] differ", Error);
}

}  // namespace lp

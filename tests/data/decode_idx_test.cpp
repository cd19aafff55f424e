// IDX: exact bytes, and every way in which a file can lie.
#include "lptrain/data/decode_idx.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

TEST_CASE("an array keeps its shape and bytes") {
  const Tensor t = decode_idx(idx({2, 3, 4}), "f");
  CHECK(t.shape() == Shape{2, 3, 4});
  CHECK(t.dtype() == DType::u8);
  for (size_t i = 0; i < 24; ++i) CHECK(t.data<uint8_t>()[i] == i);
  CHECK(decode_idx(idx({0}), "f").size() == 0);
  CHECK(decode_idx(idx({1, 2, 2, 3}), "f").shape() == Shape{1, 2, 2, 3});
}

TEST_CASE("images and labels make examples") {
  const Examples e = decode_idx_pair(input("i", idx({3, 2, 2})), input("l", idx({3})));
  CHECK(e.inputs.shape() == Shape{3, 2, 2, 1});
  CHECK(e.labels == std::vector<int32_t>{0, 1, 2});
  CHECK(contains(error_of(ErrorKind::data,
                          [] {
                            decode_idx_pair(input("i", idx({3, 2, 2})), input("l", idx({4})));
                          }),
                 "3 images, but l 4 labels"));
  CHECK(
      contains(error_of(ErrorKind::data, [] { decode_idx_pair(input("i", idx({3})), input("l", idx({3}))); }), "wanted images"));
  CHECK(contains(error_of(ErrorKind::data,
                          [] {
                            decode_idx_pair(input("i", idx({3, 2, 2})), input("l", idx({3, 1})));
                          }),
                 "wanted labels"));
}

TEST_CASE("a damaged file is named with its byte") {
  const std::string good = idx({5, 2, 2});
  const auto message = [](const std::string& bytes) { return error_of(ErrorKind::data, [&] { decode_idx(bytes, "f.idx"); }); };
  for (size_t n = 0; n < good.size(); ++n) CHECK(contains(message(good.substr(0, n)), "f.idx, byte"));
  CHECK(contains(message(good + "x"), "byte 36: 1 bytes follow"));
  CHECK(contains(message("\x89PNG" + good), "not an IDX file"));
  CHECK(contains(message(big_endian(0xd03) + good.substr(4)), "element type 0x0d"));
  CHECK(contains(message(big_endian(0x800)), "rank 0"));
  CHECK(contains(message(big_endian(0x805) + good), "rank 5"));
}

TEST_CASE("counts that overflow are refused before any memory is asked for") {
  const std::string huge = big_endian(0xffffffffu);
  const auto message = [](const std::string& bytes) { return error_of(ErrorKind::data, [&] { decode_idx(bytes, "f"); }); };
  CHECK(contains(message(big_endian(0x804) + huge + huge + huge + huge), "more than 2^40"));
  CHECK(contains(message(big_endian(0x803) + huge + big_endian(1) + big_endian(1)), "needs 4294967295 bytes, 0 are left"));
  fuzz(idx({4, 3, 3}), 5000, [](const std::string& bytes) { decode_idx(bytes, "fuzz"); });
}

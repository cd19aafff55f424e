// .npy files as NumPy writes them, and as nobody should.
#include "lptrain/data/decode_npy.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string npy(std::string header, const std::string& data, char version = 1) {
  const size_t before = 6 + 2 + (version == 1 ? 2 : 4);
  header += std::string(63 - (before + header.size()) % 64, ' ') + "\n";
  std::string bytes = "\x93NUMPY" + std::string{version, '\0'};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 255);
  return bytes + header + data;
}
std::string head(const char* descr, const char* shape, const char* order = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", descr, order, shape);
}

}  // namespace

TEST_CASE("every element type, shape and version") {
  const float reals[] = {1.5f, -2, 0.25f, 7, 0, -0.5f};
  const std::string data(reinterpret_cast<const char*>(reals), sizeof reals);
  const Tensor t = decode_npy(npy(head("<f4", "(2, 3)"), data), "a.npy");
  CHECK(t.shape() == Shape{2, 3});
  CHECK(t.dtype() == DType::f32);
  CHECK(std::equal(reals, reals + 6, t.data<float>().begin()));
  CHECK(decode_npy(npy(head("<f4", "(6,)"), data, 2), "a.npy").shape() == Shape{6});
  CHECK(decode_npy(npy(head("<f4", "(3, 2)"), data, 3), "a.npy").shape() == Shape{3, 2});
  const double one = -0.1;
  const Tensor d = decode_npy(npy(head("<f8", "()"), std::string(reinterpret_cast<const char*>(&one), 8)), "a.npy");
  CHECK(d.dtype() == DType::f64);
  CHECK(d.item() == -0.1);
  CHECK(decode_npy(npy(head("|i1", "(2,)"), "\xff\x05"), "a.npy").data<float>()[0] == -1);
  CHECK(decode_npy(npy(head("|u1", "(2,)"), "\xff\x05"), "a.npy").data<float>()[0] == 255);
  CHECK(decode_npy(npy(head("<i2", "(1,)"), "\xff\xff"), "a.npy").item() == -1);
  CHECK(decode_npy(npy(head("<i4", "(1,)"), std::string("\x01\0\0\0", 4)), "a.npy").item() == 1);
  CHECK(decode_npy(npy(head("<f2", "(1,)"), std::string("\0\x3e", 2)), "a.npy").item() == 1.5);
  CHECK(decode_npy(npy(head("<f4", "(0,)"), ""), "a.npy").size() == 0);
}

TEST_CASE("hostile files are refused with place and reason") {
  const std::pair<std::string, const char*> kRows[] = {
      {"", "ends early"},
      {"PK\x03\x04 zip", "not a .npy file"},
      {npy(head("<f4", "(1,)"), "abcd", 9), "version 9"},
      {npy(head("<f4", "(2,)"), "abcd"), "ends early"},
      {npy(head("<f4", "(1,)"), "abcde"), "follow the end"},
      {npy(head("<c8", "(1,)"), "abcdefgh"), "<c8"},
      {npy(head(">f4", "(1,)"), "abcd"), ">f4"},
      {npy(head("<f4", "(1,)", "True"), "abcd"), "Fortran"},
      {npy(head("<f4", "(-1,)"), "abcd"), "extents"},
      {npy(head("<f4", "(99999999999, 99999999999)"), "abcd"), "2^36"},
      {npy(head("<f4", "(99999999999999999999,)"), "abcd"), "extents"},
      {npy(head("<f4", "(1,1,1,1,1,1,1)"), "abcd"), "6 extents"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "abcd"), "tuple"},
      {npy("{}", ""), "fortran_order"},
  };
  for (const auto& [bytes, why] : kRows) {
    const std::string error = error_of(ErrorKind::data, [&bad = bytes] { decode_npy(bad, "bad.npy"); });
    CHECK_MESSAGE(error.find(why) != std::string::npos, error);
    CHECK(error.starts_with("bad.npy, byte "));
  }
  const std::string good = npy(head("<f4", "(2,)"), "abcdefgh");
  for (size_t n = 0; n < good.size(); ++n) error_of(ErrorKind::data, [&] { decode_npy(good.substr(0, n), "cut.npy"); });
}

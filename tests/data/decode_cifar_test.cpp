// CIFAR records: planes become pixels, files follow each other.
#include "lptrain/data/decode_cifar.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string record(std::string label, int seed) {
  for (int i = 0; i < 3072; ++i) label += static_cast<char>(i / 1024 * 50 + i % 31 + seed);
  return label;
}

}  // namespace

TEST_CASE("records of several files, planes interleaved") {
  const Input files[] = {input("a", record("\x03", 0) + record("\x09", 1)), input("b", record(std::string(1, '\0'), 2))};
  const Examples e = decode_cifar(files);
  CHECK(e.inputs.shape() == Shape{3, 32, 32, 3});
  CHECK(e.labels == std::vector<int32_t>{3, 9, 0});
  for (int n = 0; n < 3; ++n)
    for (int p = 0; p < 1024; ++p)
      for (int c = 0; c < 3; ++c)
        REQUIRE(e.inputs.data<uint8_t>()[static_cast<size_t>((n * 1024 + p) * 3 + c)] ==
                static_cast<uint8_t>(c * 50 + (c * 1024 + p) % 31 + n));
}

TEST_CASE("two label bytes: the last counts") {
  const Input files[] = {input("a", record("\x01\x63", 0))};
  CHECK(decode_cifar(files, 2).labels == std::vector<int32_t>{0x63});
}

TEST_CASE("anything but whole records is refused") {
  const std::string good = record("\x01", 0);
  for (const std::string& bad : {std::string(), good.substr(0, 3072), good + "x", good.substr(1)}) {
    const Input files[] = {input("c.bin", bad)};
    CHECK(contains(error_of(ErrorKind::data, [&] { decode_cifar(files); }), "c.bin: "));
  }
}

// Safetensors files: they come back as they were, other programs' files are read, and damaged ones are refused.
#include "lptrain/train/safetensors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "lptrain/base/files.h"
#include "lptrain/base/random.h"
#include "support/folder.h"

using namespace lp;
using lp::test::Folder;

namespace {

std::string file_of(const std::string& header, const std::string& data = "") {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

// The message of the Error(data) that these bytes give; "" if they are read.
std::string refusal(std::string_view bytes) {
  try {
    parse_tensors(bytes, "w.safetensors");
    return "";
  } catch (const Error& e) {
    CHECK(e.kind == ErrorKind::data);
    return e.what();
  }
}

bool says(const std::string& message, std::string_view part) {
  CAPTURE(message);
  CHECK(message.find("w.safetensors") != std::string::npos);
  return message.find(part) != std::string::npos;
}

TensorFile example() {
  TensorFile f;
  f.metadata = {{"config", "{\"name\": \"a \\ \n ü\"}"}, {"note", ""}};
  f.tensors.emplace_back("conv1.weight", Tensor::of<float>({2, 1, 3}, {1, -2, 3.5f, 0, -0.0f, 1e-40f}));
  f.tensors.emplace_back("a \"quoted\".name", Tensor::of<int8_t>({3}, {-128, 0, 127}));
  f.tensors.emplace_back("empty", Tensor::zeros({0, 4}));
  f.tensors.emplace_back("scalar", Tensor::of<double>({}, {0.1}));
  f.tensors.emplace_back("description", Tensor::of<int16_t>({1}, {-7}));
  f.tensors.emplace_back("codes", Tensor::of<uint8_t>({2, 2}, {1, 2, 3, 255}));
  f.tensors.emplace_back("half", convert(Tensor::of<float>({2}, {1, -3}), DType::f16));
  f.tensors.emplace_back("brain", convert(Tensor::of<float>({2}, {1, -3}), DType::bf16));
  f.tensors.emplace_back("sums", Tensor::of<int32_t>({2}, {-1, 1 << 30}));
  return f;
}

bool is_same(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  return a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

bool is_same(const TensorFile& a, const TensorFile& b) {
  const auto same = [](const auto& x, const auto& y) { return x.first == y.first && is_same(x.second, y.second); };
  return a.metadata == b.metadata && std::ranges::equal(a.tensors, b.tensors, same);
}

}  // namespace

TEST_CASE("a file comes back as it was written, bit for bit, in order, with every type") {
  const Folder folder;
  const TensorFile written = example();
  write_tensors(folder.path / "w.safetensors", written);
  const TensorFile back = read_tensors(folder.path / "w.safetensors");
  CHECK(is_same(back, written));
  REQUIRE(back.find("scalar") != nullptr);
  CHECK(back.find("scalar")->item() == 0.1);
  CHECK(back.find("conv1") == nullptr);
  REQUIRE(back.note("config") != nullptr);
  CHECK(*back.note("config") == written.metadata[0].second);
  CHECK(back.note("scalar") == nullptr);
}

TEST_CASE("the layout is the published one: length, JSON, data from a multiple of 8") {
  const Folder folder;
  TensorFile one;
  one.tensors.emplace_back("w", Tensor::of<float>({1}, {1.0f}));
  write_tensors(folder.path / "w.safetensors", one);
  const std::string bytes = read_file(folder.path / "w.safetensors");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  CHECK(bytes.size() == 8 + length + 4);
  CHECK(bytes[8] == '{');
  CHECK(bytes.find(R"("w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})") != std::string::npos);
  CHECK(bytes.substr(8 + length) == std::string("\0\0\x80\x3f", 4));
}

TEST_CASE("files of other programs: any order of keys, no notes, data in another order than names") {
  const std::string b = R"("b":{"data_offsets":[2,4],"shape":[2],"dtype":"U8"})";
  const std::string a = R"("a":{"dtype":"I8","shape":[1,2],"data_offsets":[0,2]})";
  const TensorFile f = parse_tensors(file_of("{" + b + "," + a + "}   ", "\x01\x02\x03\x04"), "w");
  REQUIRE(f.tensors.size() == 2);
  CHECK(f.tensors[0].first == "a");
  CHECK(f.find("b")->data<uint8_t>()[0] == 3);
  CHECK(parse_tensors(file_of("{}"), "w").tensors.empty());
}

TEST_CASE("what cannot be written is refused, and an older file stays") {
  const Folder folder;
  const auto file = folder.path / "w.safetensors";
  write_tensors(file, example());
  for (const char* name : {"", "__metadata__", "scalar"}) {
    TensorFile bad = example();
    bad.tensors.emplace_back(name, Tensor::zeros({1}));
    CHECK_THROWS_AS(write_tensors(file, bad), Error);
  }
  TensorFile none = example();
  none.tensors.emplace_back("none", Tensor());
  CHECK_THROWS_AS(write_tensors(file, none), Error);
  CHECK(is_same(read_tensors(file), example()));
  CHECK_THROWS_AS(write_tensors(folder.path / "absent" / "w.safetensors", example()), Error);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("damaged files are refused, with the file's name and the reason") {
  const auto tensor = [](const std::string& body) { return refusal(file_of("{\"w\":{" + body + "}}", "1234")); };
  CHECK(says(refusal(""), "too short"));
  CHECK(says(refusal("abc"), "too short"));
  CHECK(says(refusal(std::string(8, '\xff')), "truncated"));
  CHECK(says(refusal(file_of("{}").substr(0, 9)), "truncated"));
  CHECK(says(refusal(file_of("[]")), "not a safetensors file"));
  CHECK(says(refusal(file_of("")), "not a safetensors file"));
  CHECK(says(refusal(file_of("{\"a\": ")), "broken JSON"));
  CHECK(says(refusal(file_of(R"({"w":1})")), "must be an object"));
  CHECK(says(refusal(file_of(R"({"":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", "1")), "without a name"));
  CHECK(says(refusal(file_of(R"({"__metadata__":{"a":3}})")), "must be text"));
  CHECK(says(refusal(file_of(R"({"__metadata__":[]})")), "must be an object"));
  CHECK(says(refusal(file_of("{}", "x")), "1 bytes of data"));
  CHECK(says(tensor(R"("dtype":"F32","shape":[1])"), "data_offsets"));
  CHECK(says(tensor(R"("dtype":"F32","shape":[1],"data_offsets":null)"), "needs"));
  CHECK(says(tensor(R"("dtype":"F33","shape":[1],"data_offsets":[0,4])"), "F33"));
  CHECK(says(tensor(R"("dtype":"BOOL","shape":[4],"data_offsets":[0,4])"), "BOOL"));
  CHECK(says(tensor(R"("dtype":7,"shape":[1],"data_offsets":[0,4])"), "dtype"));
  CHECK(says(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1)"), "more"));
  CHECK(says(tensor(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"), "duplicate"));
  CHECK(says(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{)"), "duplicate"));
}

TEST_CASE("shapes and offsets that lie are refused") {
  const auto tensor = [](const std::string& shape, const std::string& offsets, const std::string& data = "1234") {
    return refusal(file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}", data));
  };
  CHECK(tensor("[1]", "[0,4]") == "");
  CHECK(says(tensor("[2]", "[0,4]"), "4 bytes"));
  CHECK(says(tensor("[1]", "[0,3]", "123"), "3 bytes"));
  CHECK(says(tensor("[-1]", "[0,4]"), "impossible shape"));
  CHECK(says(tensor("[4611686018427387905]", "[0,4]"), "4 bytes"));
  CHECK(says(tensor("[4294967296,4294967296]", "[0,4]"), "impossible shape"));
  CHECK(says(tensor("[0,9223372036854775807,9223372036854775807]", "[0,0]", ""), "impossible shape"));
  CHECK(says(tensor("[99999999999999999999]", "[0,4]"), "integer"));
  CHECK(says(tensor("[1.5]", "[0,4]"), "integer"));
  CHECK(says(tensor("[1,1,1,1,1,1,1]", "[0,4]"), "shape"));
  CHECK(says(tensor("[1]", "[0]"), "data_offsets"));
  CHECK(says(tensor("[1]", "[0,4,8]"), "data_offsets"));
  CHECK(says(tensor("[1]", "[-4,0]"), "bytes -4..0"));
  CHECK(says(tensor("[1]", "[4,0]"), "bytes 4..0"));
  CHECK(says(tensor("[1]", "[0,8]"), "bytes 0..8"));
  CHECK(says(tensor("[1]", "[0,4]", "12345"), "5 bytes of data"));
  CHECK(says(tensor("[1]", "[1,5]", "12345"), "expected to begin at 0"));
  CHECK(says(tensor("[0]", "[9223372036854775807,9223372036854775807]"), "expected to begin"));
}

TEST_CASE("holes and overlaps are refused") {
  const auto two = [](const std::string& first, const std::string& second, const std::string& data) {
    const std::string entry = R"({"dtype":"U8","shape":[2],"data_offsets":)";
    return refusal(file_of("{\"a\":" + entry + first + "},\"b\":" + entry + second + "}}", data));
  };
  CHECK(two("[0,2]", "[2,4]", "1234") == "");
  CHECK(two("[2,4]", "[0,2]", "1234") == "");
  CHECK(says(two("[0,2]", "[3,5]", "12345"), "\"b\""));
  CHECK(says(two("[0,2]", "[1,3]", "123"), "\"b\""));
  CHECK(says(two("[0,2]", "[0,2]", "12"), "\"b\""));
}

TEST_CASE("headers that are deep or long are refused without harm") {
  CHECK(says(refusal(file_of("{\"a\":" + std::string(200000, '['))), "nested"));
  std::string many = "{";
  for (int i = 0; i <= 1 << 15; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":{}";
  CHECK(says(refusal(file_of(many + "}")), "32769 tensors"));
}

TEST_CASE("every truncation is refused") {
  const Folder folder;
  write_tensors(folder.path / "w.safetensors", example());
  const std::string bytes = read_file(folder.path / "w.safetensors");
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(refusal(bytes.substr(0, n)).empty());
  CHECK_FALSE(refusal(bytes + '\0').empty());
  CHECK_THROWS_AS(read_tensors(folder.path / "absent"), Error);
}

TEST_CASE("every changed bit is noticed; a file without a checksum is another program's") {
  const Folder folder;
  write_tensors(folder.path / "w.safetensors", example());
  const std::string bytes = read_file(folder.path / "w.safetensors");
  const size_t note = bytes.find("checksum");
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      if (note <= at && at < note + 8) continue;
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      CHECK_FALSE(refusal(damaged).empty());
    }
  std::string other = bytes;
  other.replace(note, 8, "chksum__");
  other.back() ^= 1;
  CHECK(refusal(other) == "");
  std::string changed = bytes;
  changed.back() ^= 1;
  CHECK(says(refusal(changed), "its \"checksum\" is"));
}

TEST_CASE("notes may hold any bytes, and the note of the checksum is no one else's") {
  const Folder folder;
  TensorFile file = example();
  file.metadata.emplace_back("classes", "caf\xe9\n\xff");
  write_tensors(folder.path / "w.safetensors", file);
  CHECK(read_tensors(folder.path / "w.safetensors").note("classes") != nullptr);
  CHECK(read_tensors(folder.path / "w.safetensors").note("checksum") == nullptr);
  file.metadata.emplace_back("checksum", "0123456789abcdef");
  CHECK_THROWS_AS(write_tensors(folder.path / "x.safetensors", file), Error);
}

TEST_CASE("random damage gives an error or a file, never a crash") {
  const Folder folder;
  write_tensors(folder.path / "w.safetensors", example());
  const std::string bytes = read_file(folder.path / "w.safetensors");
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  constexpr std::string_view kLikely = "0123456789-.eE{}[]\",: \\\x00\xff";
  const Key key(7);
  int refused = 0;
  for (uint64_t round = 0; round < 4000; ++round) {
    const Key draw = key.with(round);
    std::string damaged = bytes;
    for (uint64_t i = 0; i < 3 * (1 + round % 4); i += 3) {
      const size_t at = draw.below(i, 8 + header - 64);  // erasing takes at most 32 bytes off
      if (round % 3 == 0)
        damaged.erase(at, 1 + draw.below(i + 1, 8));
      else if (round % 3 == 1)
        damaged[at] = kLikely[draw.below(i + 1, kLikely.size())];
      else
        damaged.insert(at, damaged.substr(draw.below(i + 1, 8 + header), 1 + draw.below(i + 2, 16)));
    }
    refused += !refusal(damaged).empty();
  }
  CHECK(refused > 3000);
}

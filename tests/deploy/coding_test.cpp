// Coded files: smaller by what theory says, the same bit for bit when decoded, and suspicious of every number in their notes.
#include "lptrain/deploy/coding.h"

#include <doctest/doctest.h>

#include <cstring>

#include "lptrain/deploy/packed.h"
#include "nn/networks.h"

using namespace lp;

namespace {

constexpr int64_t kIn = 60, kOut = 40;

Model network(const std::string& weights, DType compute = DType::f32) {
  Model model = model_of(fmt::format(R"([{{"linear": {{"out": {}}}}}, "relu", "linear"])", kOut), Shape{kIn},
                         fmt::format(R"({{"weights": {}}})", weights), compute);
  descend(model, random_normal(Shape{4, kIn}, Key(1)), labels_for(4, 3), 0.01);
  return model;
}

// Masks weights of the first layer: all but every n-th, or all but two of four.
void mask(Model& model, const std::string& how) {
  Param& w = *model.params()[0];
  w.mask = Tensor::zeros(w.value.shape());
  for (size_t i = 0; i < static_cast<size_t>(w.value.size()); ++i) {
    const bool is_kept = how == "2:4" ? i % 4 == 1 || i % 4 == (i / 4 % 2 == 0 ? 3 : 0) : Key(9).uniform(i) < std::stof(how);
    w.mask.data<float>()[i] = is_kept;
  }
}

void check_same(const TensorFile& a, const TensorFile& b) {
  CHECK(a.metadata == b.metadata);
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    CAPTURE(a.tensors[i].first);
    const Tensor &x = a.tensors[i].second, &y = b.tensors[i].second;
    CHECK(a.tensors[i].first == b.tensors[i].first);
    REQUIRE(x.dtype() == y.dtype());
    REQUIRE(x.shape() == y.shape());
    CHECK(std::memcmp(x.raw(), y.raw(), static_cast<size_t>(x.bytes())) == 0);
  }
}

TensorFile packed_of(const std::string& weights, const std::string& kept) {
  Model model = network(weights);
  if (!kept.empty()) mask(model, kept);
  return pack(model);
}

}  // namespace

TEST_CASE("what is decoded is what was packed, bit for bit, in every format and sparsity") {
  for (const char* weights : {R"("f32")", R"("bf16")", R"("f16")", R"("int8")", R"("int4")", R"("ternary")", R"("binary")",
                              R"("e4m3")", R"("int16")", R"({"format": "uint8", "zero_point": true})", R"("mxfp4")",
                              R"({"format": "int5", "scale": "kmeans"})", R"({"format": "ternary", "scale": "ttq"})"})
    for (const char* kept : {"", "0", "0.02", "0.1", "0.5", "2:4"}) {
      CAPTURE(weights);
      CAPTURE(kept);
      const TensorFile packed = packed_of(weights, kept);
      int64_t last = INT64_MAX;
      for (const Coding most : {Coding::dense, Coding::sparse, Coding::huffman}) {
        const TensorFile file = coded(packed, most);
        check_same(decoded(file, "x"), packed);
        check_same(unpack(file, "x"), unpack(packed, "x"));
        int64_t bytes = 0;
        for (const auto& entry : file.tensors) bytes += entry.second.bytes();
        CHECK(bytes <= last);
        last = bytes;
      }
      const StoredBytes bytes = stored_bytes(packed);
      CHECK(bytes.huffman == last);
      CHECK(bytes.dense >= bytes.sparse);
    }
  Model wide = network(R"("f32")", DType::f64);
  check_same(coded(pack(wide), Coding::huffman), pack(wide));  // f64 stays as it is
}

TEST_CASE("sizes: 2:4 takes two bits a kept code, a tenth of f32 its words and steps") {
  const TensorFile pattern = coded(packed_of(R"("f32")", "2:4"), Coding::sparse);
  CHECK(pattern.find("fc1.weight")->size() == kIn * kOut / 2 * 4);
  CHECK(pattern.find("fc1.weight.index")->size() == kIn * kOut / 2 * 2 / 8);
  const TensorFile bytes = coded(packed_of(R"("int8")", "2:4"), Coding::sparse);
  CHECK(bytes.find("fc1.weight")->size() <= kIn * kOut / 2);
  CHECK(bytes.find("fc1.weight.index")->size() <= kIn * kOut / 2 * 2 / 8);
  const TensorFile few = coded(packed_of(R"("f32")", "0.1"), Coding::sparse);
  CHECK(few.find("fc1.weight")->size() < kIn * kOut * 4 * 0.13);
  CHECK(few.find("fc1.weight.index")->size() < kIn * kOut * 0.1 * 6 / 8);
  const TensorFile none = coded(packed_of(R"("f32")", "0"), Coding::huffman);
  CHECK(none.find("fc1.weight")->size() == 0);
  CHECK(none.find("fc1.weight.index")->size() < 20);
}

TEST_CASE("a codebook beside zeros takes no more bits than its numbers") {
  const TensorFile packed = packed_of(R"({"format": "int4", "scale": "kmeans"})", "0.2");
  CHECK(packed.find("fc1.weight.levels")->size() == 17);
  CHECK(packed.find("fc1.weight")->size() == (kIn * kOut * 5 + 7) / 8);
  const TensorFile file = coded(packed, Coding::sparse);
  CHECK(file.note("fc1.weight.coding")->find("\"width\": 4") != std::string::npos);
}

TEST_CASE("a file is coded when that saves a quarter") {
  CHECK(worthwhile({100, 90, 76}) == Coding::dense);
  CHECK(worthwhile({100, 90, 75}) == Coding::huffman);
}

TEST_CASE("damage is told with its place") {
  const TensorFile good = coded(packed_of(R"("int8")", "0.1"), Coding::huffman);
  const auto copy = [&] {
    TensorFile bad;
    bad.metadata = good.metadata;
    for (const auto& [name, tensor] : good.tensors) bad.tensors.emplace_back(name, tensor.clone());
    return bad;
  };
  const auto told = [&](const TensorFile& bad) {
    const std::string error = error_of([&] { decoded(bad, "x.safetensors"); });
    CAPTURE(error);
    CHECK(error.find("x.safetensors: \"fc1.weight\"") != std::string::npos);
    return error;
  };
  const auto tensor = [](TensorFile& f, const char* name) -> Tensor& { return *const_cast<Tensor*>(f.find(name)); };
  const auto noted = [&](const std::string& key, const std::string& value) {
    TensorFile bad = copy();
    for (auto& [name, text] : bad.metadata) {
      if (name != "fc1.weight.coding") continue;
      Document d = Document::parse(text, "note");
      d.set(key, value, "test");
      text = d.dump(0);
    }
    return told(bad);
  };
  for (const char* name : {"fc1.weight", "fc1.weight.index"})
    for (int64_t n = 0; n < good.find(name)->size(); n += 7) {
      TensorFile bad = copy();
      tensor(bad, name) = good.find(name)->rows(0, n);
      told(bad);
    }
  TensorFile bad = copy();
  tensor(bad, "fc1.weight.index") = Tensor::zeros(Shape{4});
  CHECK(told(bad).find("index is missing") != std::string::npos);
  bad = copy();
  tensor(bad, "fc1.weight") = Tensor::zeros(Shape{4});
  CHECK(told(bad).find("expected in U8") != std::string::npos);
  bad = copy();
  for (auto& [name, text] : bad.metadata)
    if (name == "fc1.weight.coding") text = "{";
  CHECK(told(bad).find("note of its coding is damaged") != std::string::npos);
  for (const auto& [key, value, says] : {std::tuple{"count", "1000000000000000", "shorter than its count"},
                                         {"count", "2399", "do not fill its shape"},
                                         {"count", "-1", "damaged"},
                                         {"steps", "1000000000000000", "shorter than its count"},
                                         {"steps", "3", "shorter than its count"},
                                         {"absent", "256", "too long"},
                                         {"bits", "7", ""},
                                         {"bits", "33", "damaged"},
                                         {"width", "0", "damaged"},
                                         {"type", "\"f64\"", "is not u8"},
                                         {"type", "\"f32\"", "do not fill its shape"},
                                         {"shape", "[-1]", ""},
                                         {"shape", "[4294967296, 4294967296, 4294967296]", ""},
                                         {"shape", "[2400, 1]", "do not fill its shape"},
                                         {"index", "{\"keep\": 2, \"of\": 4}", ""},
                                         {"index", "{\"keep\": 4, \"of\": 4}", "damaged"},
                                         {"index", "{\"gap_bits\": 9}", "damaged"},
                                         {"index", "{\"gap_bits\": 1}", ""},
                                         {"index", "{}", ""}}) {
    CAPTURE(key);
    CAPTURE(value);
    CHECK(noted(key, value).find(says) != std::string::npos);
  }
}

TEST_CASE("no flipped bit of codes and index is a crash") {
  for (const char* kept : {"0.1", "2:4"}) {
    const TensorFile good = coded(packed_of(R"("int4")", kept), Coding::huffman);
    REQUIRE(good.find("fc1.weight.index"));
    for (const char* name : {"fc1.weight", "fc1.weight.index"})
      for (int64_t bit = 0; bit < 8 * good.find(name)->size(); bit += 3) {
        TensorFile bad = good;
        Tensor& t = *const_cast<Tensor*>(bad.find(name));
        t = t.clone();
        t.data<uint8_t>()[static_cast<size_t>(bit / 8)] ^= static_cast<uint8_t>(1 << (bit % 8));
        error_of([&] { unpack(bad, "x"); });
      }
  }
}

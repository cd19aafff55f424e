// Packing: what is read back is what evaluation sees, in every format; the file has the size that the bits say; damage is told.
#include "lptrain/deploy/packed.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "lptrain/base/files.h"
#include "nn/networks.h"

using namespace lp;

namespace {

constexpr const char* kLayers =
    R"([{"conv2d": {"out": 5, "kernel": 3}}, {"batch_norm": {}}, "relu", "flatten", {"linear": {"bias": false}}])";

Model network(const std::string& precision, DType compute = DType::f32) {
  Model model = model_of(kLayers, Shape{5, 5, 3}, precision, compute);
  descend(model, random_normal(Shape{4, 5, 5, 3}, Key(1)), labels_for(4, 3), 0.05);  // scales are observed and learned
  return model;
}

// Every parameter through mask and lens.
struct Seen : Visitor {
  Context eye{nullptr, Mode::eval};
  std::vector<std::pair<std::string, Tensor>> tensors;
  explicit Seen(Model& model) {
    eye.survey(model.params());
    model.visit(*this);
  }
  void param(Param& p) override {
    if (p.value && p.name.ends_with("t")) tensors.emplace_back(p.name, eye.param(p).tensor());
  }
};

void check_equal(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.dtype() == b.dtype());
  visit_real(a.dtype(), [&]<class T>() { CHECK(std::ranges::equal(a.data<T>(), b.data<T>())); });
}

// Packs, writes, reads, unpacks, and compares; the packed content.
TensorFile check_round_trip(Model& model) {
  const TensorFile packed = pack(model);
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("lptrain-packed-{}.safetensors", static_cast<const void*>(&packed));
  write_tensors(file, packed);
  const TensorFile back = unpack(read_tensors(file), "packed");
  std::filesystem::remove(file);
  const Seen seen(model);
  for (const auto& [name, tensor] : seen.tensors) {
    CAPTURE(name);
    const Tensor* found = back.find(name);
    REQUIRE(found);
    check_equal(*found, tensor);
  }
  CHECK(back.find("bn1.running_mean"));
  CHECK(back.find("bn1.running_var"));
  return packed;
}

}  // namespace

TEST_CASE("what is pruned is zero in the packed file, in every format that has a zero") {
  for (const char* weights : {"\"f32\"", "\"bf16\"", R"({"format": "int4", "per": "channel"})", "\"ternary\"", "\"mxfp4\"",
                              R"({"format": "uint8", "zero_point": true})", R"({"format": "int2", "scale": "kmeans"})"}) {
    CAPTURE(weights);
    Model model = network(fmt::format(R"({{"weights": {}}})", weights));
    Param* conv = model.params()[0];
    conv->mask = Tensor::full(conv->value.shape(), 1);
    for (size_t i = 0; i < conv->mask.data<float>().size(); i += 3) conv->mask.data<float>()[i] = 0;
    const TensorFile back = unpack(check_round_trip(model), "packed");
    const Tensor* found = back.find(conv->name);
    REQUIRE(found);
    for (size_t i = 0; i < found->data<float>().size(); i += 3) CHECK(found->data<float>()[i] == 0);
  }
}

TEST_CASE("every format reads back as it is seen, at its own width") {
  for (const char* format :
       {"int8", "int8_narrow", "uint8", "int4",   "int3",   "int2", "int5", "int12", "int16", "ternary", "binary", "q3.4",
        "q0.2", "q7.8",        "uq2.6", "pow2_3", "pow2_4", "e4m3", "e5m2", "e2m1",  "e3m2",  "e4m11",   "e8m7",   "int1"})
    for (const char* rest : {"", R"(, "per": "channel", "scale": "absmax")", R"(, "scale": "learned")",
                             R"(, "scale": {"fixed": {"value": 0.013}})"}) {
      CAPTURE(format);
      CAPTURE(rest);
      Model model = network(fmt::format(R"({{"weights": {{"format": "{}"{}}}}})", format, rest));
      const TensorFile packed = check_round_trip(model);
      const Tensor& w = *packed.find("conv1.weight");
      const Format f = Format::parse(format);
      const bool is_raw = f == kBf16 && w.dtype() == DType::bf16;
      CHECK(w.bytes() == (5 * 9 * 3 * f.bits() + 7) / 8);
      CHECK(is_raw != (w.dtype() == DType::u8));
    }
}

TEST_CASE("affine, observed, stochastic and narrow quantizers read back, in f32 and in f64") {
  for (const char* weights :
       {R"({"format": "uint4", "zero_point": true})", R"({"format": "int8", "scale": "ema"})",
        R"({"format": "int4", "rounding": "stochastic"})", R"({"format": "int6", "narrow": true})",
        R"({"format": "uint8", "zero_point": true, "scale": "ema"})", R"({"format": "binary", "per": "channel"})"})
    for (DType compute : {DType::f32, DType::f64}) {
      CAPTURE(weights);
      Model model = network(fmt::format(R"({{"weights": {}, "biases": "q3.4",
                                              "errors": {{"format": "int8", "scale": "ema"}},
                                              "activations": {{"format": "uint8", "scale": "ema"}}}})",
                                        weights),
                            compute);
      const TensorFile packed = check_round_trip(model);
      CHECK(packed.find("conv1.weight")->dtype() == DType::u8);
      CHECK(packed.find("conv1.bias")->bytes() == 5);
      CHECK(packed.find("conv1.input.high"));
      CHECK_FALSE(packed.find("conv1.error.high"));
    }
}

TEST_CASE("groups, blocks, offsets, decision scales and scale formats read back") {
  const auto packed_of = [](const std::string& weights, bool is_packed = true) {
    CAPTURE(weights);
    Model model = network(fmt::format(R"({{"weights": {}}})", weights));
    TensorFile packed = check_round_trip(model);
    CHECK((packed.find("fc1.weight")->dtype() == DType::u8) == is_packed);
    return packed;
  };
  packed_of(R"({"format": "int4", "per": "group:1"})");
  packed_of(R"({"format": "int4", "per": "block:4"})");  // 45 inputs, 3 channels: the last block of a row is not full
  packed_of(R"({"format": "int4", "per": "network"})");
  packed_of(R"({"format": "binary", "decision": {"fixed": {"value": 1}}})");
  packed_of(R"({"format": "ternary", "scale": "mean_abs", "decision": {"mean_abs": {"factor": 0.7}}})");
  CHECK(packed_of(R"({"format": "uint4", "offset": "min"})").find("fc1.weight.offset"));
  const TensorFile mx = packed_of(R"("mxfp4")");
  CHECK(mx.find("fc1.weight.scale")->dtype() == DType::u8);  // e8m0
  CHECK(mx.find("fc1.weight.scale")->size() == 3 * 2);
  CHECK(mx.find("fc1.weight")->size() == 3 * 64 / 2);
}

TEST_CASE("trained widths are packed at what they have reached") {
  Model model = network(R"({"weights": {"format": "int8", "scale": {"learned_bits": {"bits": 5}}}})");
  const TensorFile packed = check_round_trip(model);
  CHECK(packed.find("conv1.weight")->bytes() == (5 * 9 * 3 * 5 + 7) / 8);
}

TEST_CASE("few reals that no grid describes are packed as numbers of these") {
  for (const auto& [weights, bits] : {std::pair(R"({"format": "ternary", "scale": "ttq"})", 2),
                                      {R"({"format": "int4", "scale": "dorefa"})", 4},
                                      {R"({"format": "int2", "scale": "dorefa"})", 2},
                                      {R"({"format": "int3", "scale": "kmeans"})", 3}})
    for (DType compute : {DType::f32, DType::f64}) {
      CAPTURE(weights);
      Model model = network(fmt::format(R"({{"weights": {}}})", weights), compute);
      const TensorFile packed = check_round_trip(model);
      CHECK(packed.find("conv1.weight")->dtype() == DType::u8);
      CHECK(packed.find("conv1.weight")->bytes() == (5 * 9 * 3 * bits + 7) / 8);
      CHECK(packed.find("conv1.weight.levels")->dtype() == compute);
      CHECK(packed.find("conv1.weight.levels")->size() <= int64_t{1} << bits);
      CHECK_FALSE(packed.find("conv1.weight.scale"));
    }
  Model pruned = network(R"({"weights": {"format": "int2", "scale": "kmeans"}})");
  Param& w = *pruned.params()[0];
  w.mask = Tensor::full(w.value.shape(), 1);
  w.mask.data<float>()[0] = 0;  // a fifth real
  CHECK(check_round_trip(pruned).find("conv1.weight.levels")->size() == 5);
}

TEST_CASE("a list of levels that does not belong to its codes is damage") {
  Model model = network(R"({"weights": {"format": "ternary", "scale": "ttq"}})");
  const auto error = [&](const auto& change) {
    TensorFile bad = pack(model);
    change(*const_cast<Tensor*>(bad.find("conv1.weight")), *const_cast<Tensor*>(bad.find("conv1.weight.levels")));
    return error_of([&] { unpack(bad, "x"); });
  };
  CHECK(error([](Tensor&, Tensor&) {}) == "");
  CHECK(error([](Tensor& w, Tensor&) { w.data<uint8_t>()[1] = 0xFF; }).find("\"conv1.weight\": holds a code") !=
        std::string::npos);
  CHECK(error([](Tensor&, Tensor& l) { l = Tensor::zeros({3}, DType::f64); }).find("of another type") != std::string::npos);
  CHECK(error([](Tensor&, Tensor& l) { l = Tensor::zeros({3, 1}); }).find("of another type") != std::string::npos);
  CHECK(error([](Tensor&, Tensor& l) { l = Tensor::zeros({0}); }).find("holds a code") != std::string::npos);
  CHECK(error([](Tensor& w, Tensor&) { w = Tensor::zeros({7}, DType::u8); }).find("its bytes are not") != std::string::npos);
}

TEST_CASE("behind a folded norm, what a forward pass sees is packed") {
  for (const char* bias : {"true", "false"})
    for (const char* weights :
         {"\"int8\"", R"({"format": "ternary", "scale": "ttq"})", R"({"format": "int4", "per": "channel"})"}) {
      CAPTURE(weights);
      Model model = model_of(
          fmt::format(R"([{{"linear": {{"out": 4, "bias": {}}}}}, {{"batch_norm": {{"fold": "batch"}}}}, "linear"])", bias),
          Shape{6}, fmt::format(R"({{"weights": {}, "biases": "q3.4"}})", weights));
      descend(model, random_normal(Shape{8, 6}, Key(1)), labels_for(8, 3), 0.05);
      const TensorFile packed = pack(model), back = unpack(packed, "packed");
      Context eye(nullptr, Mode::eval);
      eye.watch([&](const Look& look) {
        if (look.lens.role != Role::weights && look.lens.role != Role::biases) return;
        CAPTURE(look.lens.name);
        REQUIRE(back.find(look.lens.name));
        check_equal(*back.find(look.lens.name), look.y.tensor());
        CHECK(packed.find(look.lens.name)->dtype() == DType::u8);
      });
      model.forward(eye, random_normal(Shape{2, 6}, Key(2)));
      CHECK(back.find("bn1.running_var"));
    }
}

TEST_CASE("halves lie as they are, f32 and f64 too") {
  for (const auto& [format, type] : {std::pair("f16", DType::f16), {"bf16", DType::bf16}, {"f32", DType::f32}}) {
    Model model = network(fmt::format(R"({{"weights": "{}"}})", format));
    const TensorFile packed = check_round_trip(model);
    CHECK(packed.find("fc1.weight")->dtype() == type);
    CHECK_FALSE(packed.find("fc1.weight.scale"));
  }
  Model wide = network("{}", DType::f64);
  CHECK(check_round_trip(wide).find("fc1.weight")->dtype() == DType::f64);
}

TEST_CASE("masked weights are zeros") {
  Model model = network(R"({"weights": "int4"})");
  Param& w = *model.params()[0];
  w.mask = Tensor::zeros(w.value.shape());
  w.mask.data<float>()[3] = 1;
  check_round_trip(model);
  const TensorFile reals = unpack(pack(model), "packed");
  CHECK(reals.find("conv1.weight")->data<float>()[2] == 0);
  CHECK(reals.find("conv1.weight")->data<float>()[3] != 0);
}

TEST_CASE("the first byte holds the first codes, lowest bits first") {
  Model model = model_of(R"([{"linear": {"bias": false}}])", Shape{2},
                         R"({"weights": {"format": "int4", "scale": {"fixed": {"value": 1}}}})");
  model.params()[0]->value = Tensor::of<float>(Shape{3, 2}, {1, -1, 7, -8, 0, 3});
  const TensorFile packed = pack(model);
  const auto bytes = packed.find("fc1.weight")->data<uint8_t>();
  CHECK(bytes[0] == 0xF1);
  CHECK(bytes[1] == 0x87);
  CHECK(bytes[2] == 0x30);
}

TEST_CASE("damage is told with its place") {
  Model model = network(R"({"weights": "ternary"})");
  const TensorFile good = pack(model);
  const auto fails = [&](const auto& change, const char* says) {
    TensorFile bad;
    bad.metadata = good.metadata;
    for (const auto& [name, tensor] : good.tensors) bad.tensors.emplace_back(name, tensor.clone());
    change(bad);
    const std::string error = error_of([&] { unpack(bad, "x.safetensors"); });
    CAPTURE(error);
    CHECK(error.find(says) != std::string::npos);
    CHECK(error.find("x.safetensors: \"conv1.weight\"") != std::string::npos);
  };
  const auto note = [](TensorFile& f) -> std::string& {
    for (auto& [key, text] : f.metadata)
      if (key == "conv1.weight") return text;
    throw std::logic_error("no note");
  };
  const auto noted = [&](const char* text, const char* says) { fails([&](TensorFile& f) { note(f) = text; }, says); };
  const auto tensor = [](TensorFile& f, const char* name) -> Tensor& { return *const_cast<Tensor*>(f.find(name)); };
  fails([&](TensorFile& f) { tensor(f, "conv1.weight").data<uint8_t>()[0] = 0xAA; }, "a code that ternary does not have");
  fails([&](TensorFile& f) { tensor(f, "conv1.weight") = Tensor::zeros(Shape{3}, DType::u8); }, "its bytes are not");
  fails([&](TensorFile& f) { tensor(f, "conv1.weight") = Tensor::zeros(Shape{34}); }, "U8");
  fails([&](TensorFile& f) { tensor(f, "conv1.weight.scale") = Tensor::zeros(Shape{2}); }, "\"conv1.weight.scale\" is missing");
  fails([&](TensorFile& f) { f.tensors.erase(f.tensors.begin() + 1); }, "\"conv1.weight.scale\" is missing");
  noted("{", "the note is damaged");
  noted("[]", "the note is damaged");
  noted(R"({"format": "ternay"})", "the note is damaged");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "type": "f16", "lanes": [1,1,135]})", "the note is damaged");
  noted(R"({"format": "ternary", "shape": [5,3,3,-3], "lanes": [1,1,135]})", "conv1.weight");
  noted(R"({"format": "ternary", "shape": [9223372036854775807,3], "lanes": [1,1,135]})", "conv1.weight");
  noted(R"({"format": "ternary", "shape": [9223372036854775807], "lanes": [1,1,9223372036854775807]})", "its lanes");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [4294967296,4294967296,135]})", "its lanes");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [1,1,180]})", "its bytes are not");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [1,1,135], "scale_format": "e8m0"})", "of another type");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [1,1,135], "scale_format": "f64"})", "no codes of this format");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [1,1,134]})", "its lanes");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [0,1,135]})", "its lanes");
  noted(R"({"format": "ternary", "shape": [5,3,3,3]})", "its lanes");
  noted(R"({"format": "ternary", "shape": [5,3,3,3], "lanes": [1,1,135], "zero_point": 9})", "zero point");
  noted(R"({"format": "f64", "shape": [5,3,3,3], "lanes": [1,1,135]})", "no codes of this format");
  noted(R"({"format": "uint32", "shape": [5,3,3,3], "lanes": [1,1,135]})", "no codes of this format");
  noted(R"({"format": "int4", "shape": [5,3,3,3], "lanes": [1,1,135]})", "its bytes are not");
}

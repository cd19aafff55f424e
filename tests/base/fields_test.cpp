// Self-describing structs: read, write, schema and help all follow from one `fields`.
#include "lptrain/base/fields.h"

#include <doctest/doctest.h>

#include <cfloat>

#include "base/recipe.h"

using lp::Document;
using lp::DocumentError;
using recipe::Recipe;

namespace {

std::string error_of(std::string_view text) {
  try {
    recipe::read(text);
  } catch (const DocumentError& error) {
    return error.what();
  }
  return "no error";
}

Document parse(std::string_view text) { return Document::parse(text, "b.json"); }

struct Floats {
  float x = 0;
  double y = 0;
  void fields(lp::Fields& f) {
    f("x", x, "");
    f("y", y, "");
  }
};

struct Integers {
  int8_t a = 0;
  uint16_t b = 0;
  uint32_t c = 0;
  uint64_t d = 0;
  int64_t e = 0;
  void fields(lp::Fields& f) {
    f("a", a, "");
    f("b", b, "");
    f("c", c, "");
    f("d", d, "");
    f("e", e, "");
  }
};

// Defaults that are engaged, chosen and filled: what compact writing must not lose.
struct Filled {
  std::optional<recipe::Quantizer> maybe = recipe::Quantizer{{4}, true};
  lp::Choice<recipe::Optimizer> chosen{"sgd"};
  std::vector<recipe::Quantizer> list{{{2}, true}, {{3}, false}};
  lp::Dictionary<recipe::Quantizer> names{{"a", {{5}, true}}};
  Filled() { dynamic_cast<recipe::Sgd&>(*chosen).momentum = 0.5; }
  void fields(lp::Fields& f) {
    f("maybe", maybe, "");
    f("chosen", chosen, "");
    f("list", list, "", {0, 4});
    f("names", names, "");
  }
};

// Values that nobody looks into.
struct Loose {
  Document base;
  std::optional<Document> maybe;
  lp::Dictionary<Document> set;
  std::vector<Document> list;
  void fields(lp::Fields& f) {
    f("base", base, "whatever");
    f("maybe", maybe, "");
    f("set", set, "");
    f("list", list, "");
  }
};

template <class T>
T copy_through(const T& value, bool compact) {
  T back{};
  lp::read(parse(lp::write(value, compact).dump()), back);
  return back;
}

}  // namespace

TEST_CASE("a recipe reads every kind of field") {
  const Recipe r = recipe::unusual();
  CHECK(r.name ==
        "gr\xC3\xB6\xC3\x9F"
        "e \"x\"\n");
  CHECK(r.train.epochs == 7);
  CHECK(r.train.batch == 32);
  CHECK(r.train.decay == 0.3f);
  CHECK(r.train.loss == recipe::Loss::mse);
  CHECK(r.train.optimizer.name() == "adam");
  CHECK(dynamic_cast<recipe::Adam&>(*r.train.optimizer).lr == 0.01f);
  CHECK(r.weights.format.bits == 4);
  REQUIRE(r.overrides.size() == 3);
  CHECK(r.overrides[0].first == "conv1.*");
  CHECK(r.overrides[0].second.format.bits == 2);
  CHECK(r.overrides[1].second.narrow);
  REQUIRE(r.layers.size() == 3);
  CHECK(r.layers[1].name() == "relu");
  CHECK(dynamic_cast<recipe::Block&>(*r.layers[2]).layers.size() == 3);
  CHECK(r.size == std::vector<int>{3, 4, 5});
  CHECK(r.clip == 0.5);
  CHECK(r.seed == 9007199254740993);
}

TEST_CASE("absent fields keep their value, null is none") {
  Recipe r = recipe::unusual();
  lp::read(parse(R"({"clip": null, "_comment": {"any": "thing"}, "$schema": "s.json", "train": {"description": "x"}})"), r);
  CHECK_FALSE(r.clip);
  CHECK(r.train.epochs == 7);
}

TEST_CASE("messages") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"train": {"epoch": 3}})", R"(a.json:1:12: error: unknown key "epoch" in train; did you mean "epochs"?)"},
      {R"({"layers": ["relu", {"linear": {"out": "ten"}}]})",
       R"(a.json:1:40: error: layers.1.linear.out must be an integer in 1..., found "ten")"},
      {R"({"train": {"epochs": 3.7}})", "a.json:1:22: error: train.epochs must be an integer in 1..., found 3.7"},
      {R"({"train": {"epochs": 3e30}})", "a.json:1:22: error: train.epochs must be an integer in 1..2147483647, found 3e+30"},
      {R"({"train": {"epochs": 0}})", "a.json:1:22: error: train.epochs must be an integer in 1..., found 0"},
      {R"({"train": {"batch": 256}})", "a.json:1:21: error: train.batch must be an integer in 1..255, found 256"},
      {R"({"train": {"decay": 2}})", "a.json:1:21: error: train.decay must be in [0, 1], found 2"},
      {R"({"clip": -0.5})", "a.json:1:10: error: clip must be >= 0, found -0.5"},
      {R"({"clip": true})", "a.json:1:10: error: clip must be a number, found true"},
      {R"({"seed": "1"})", "a.json:1:10: error: seed must be an integer, found \"1\""},
      {R"({"name": 3})", "a.json:1:10: error: name must be text, found 3"},
      {R"({"size": [1]})", "a.json:1:10: error: size must be a list of 2..3, found a list of 1"},
      {R"({"size": {}})", "a.json:1:10: error: size must be a list, found an empty object"},
      {R"({"size": [1, null]})", "a.json:1:14: error: size.1 must be an integer, found null"},
      {R"({"train": 3})", "a.json:1:11: error: train must be an object, found 3"},
      {R"({"train": {"loss": "mes"}})", R"(a.json:1:20: error: train.loss: unknown name "mes"; did you mean "mse"?)"},
      {R"({"train": {"loss": 1}})", "a.json:1:20: error: train.loss must be one of cross_entropy, mse, found 1"},
      {R"({"train": {"optimizer": "adm"}})", R"(a.json:1:25: error: train.optimizer: unknown name "adm"; did you mean "adam"?)"},
      {R"({"train": {"optimizer": {"adm": {}}}})",
       R"(a.json:1:26: error: train.optimizer: unknown name "adm"; did you mean "adam"?)"},
      {R"({"train": {"optimizer": {"adam": 1}}})", "a.json:1:34: error: train.optimizer.adam must be an object, found 1"},
      {R"({"train": {"optimizer": {"adam": {"momentum": 1}}}})",
       R"(a.json:1:35: error: unknown key "momentum" in train.optimizer.adam; known: lr)"},
      {R"({"train": {"optimizer": {}}})",
       "a.json:1:25: error: train.optimizer must be a name, or an object with one name as its key, found an empty object"},
      {R"({"train": {"optimizer": {"adam": {}, "sgd": {}}}})",
       "a.json:1:38: error: train.optimizer must be a name, or an object with one name as its key, found \"adam\" (a.json:1:26), "
       "\"sgd\" "
       "(a.json:1:38)"},
      {R"({"weights": "float8"})", R"(a.json:1:13: error: weights.format: unknown format "float8"; write int<N>)"},
      {R"({"weights": 8})", "a.json:1:13: error: weights.format must be text, found 8"},
      {R"({"overrides": {"conv1.*": {"narow": true}}})",
       R"(a.json:1:28: error: unknown key "narow" in overrides."conv1.*"; did you mean "narrow"?)"},
      {R"({"train": {"optimizer": {"sgd": {"momentum": 1, "lr": 2}}}})",
       "a.json:1:33: error: train.optimizer.sgd: momentum 1 needs a small lr"},
      {R"({"train": {"epochs": 1000, "batch": 1}})", "a.json:1:11: error: train: 1000 epochs of single examples never end"},
      {R"({"train": {"epochs": 1000, "batch": 1, "loss": 0}})",
       "a.json:1:48: error: train.loss must be one of cross_entropy, mse, found 0"},
      {"[]", "a.json:1:1: error: the document must be an object, found a list of 0"},
  };
  for (const auto& [text, message] : cases) CHECK(error_of(text) == message);
}

TEST_CASE("mistakes of a file and of --set come together, the file's first") {
  Document d = parse("{\"train\": {\"epochs\": 0}}");
  d.set("train.optimiser=adam");
  d.set("train.optimizer.sgd.lr=-1");
  std::string message;
  Recipe r;
  try {
    lp::read(d, r);
  } catch (const DocumentError& error) {
    message = error.what();
    REQUIRE(error.problems.size() == 3);
    CHECK(error.problems[1].path == "train.optimiser");
  }
  CHECK(message ==
        "b.json:1:22: error: train.epochs must be an integer in 1..., found 0\n"
        "--set train.optimiser=adam: error: unknown key \"optimiser\" in train; did you mean \"optimizer\"?\n"
        "--set train.optimizer.sgd.lr=-1: error: train.optimizer.sgd.lr must be >= 0, found -1");
}

TEST_CASE("set opens the short form of a struct, and of a choice only where it is told") {
  Document d = parse(R"({"weights": "int4", "train": {"optimizer": "sgd"}})");
  d.set("weights.narrow=true");
  d.set("train.optimizer.sgd.lr=0.5");
  Recipe r;
  lp::read(d, r);
  CHECK(r.weights.format.bits == 4);
  CHECK(r.weights.narrow);
  CHECK(dynamic_cast<recipe::Sgd&>(*r.train.optimizer).lr == 0.5);
  Document wrong = parse(R"({"train": {"optimizer": "sgd"}})");
  wrong.set("train.optimizer.lr=0.5");
  CHECK_THROWS_WITH_AS(lp::read(wrong, r),
                       "--set train.optimizer.lr=0.5: error: train.optimizer is \"sgd\"; set train.optimizer.sgd.lr",
                       DocumentError);
}

TEST_CASE("integers: 3.0 is one, limits of the type are kept") {
  CHECK(recipe::read("{\"seed\": 3.0}").seed == 3);
  CHECK(recipe::read("{\"seed\": -9223372036854775808}").seed == INT64_MIN);
  CHECK(error_of("{\"seed\": 9223372036854775808}").find("must be an integer") != std::string::npos);
  CHECK(error_of("{\"seed\": 1e19}").find("must be an integer") != std::string::npos);
  const Integers limits{-128, 65535, 4294967295u, INT64_MAX, INT64_MIN};
  const Integers back = copy_through(limits, false);
  CHECK(back.a == limits.a);
  CHECK(back.b == limits.b);
  CHECK(back.c == limits.c);
  CHECK(back.d == limits.d);
  CHECK(back.e == limits.e);
  Integers out;
  for (const char* text :
       {"{\"a\": -129}", "{\"a\": 128}", "{\"b\": -1}", "{\"b\": 65536}", "{\"c\": 4294967296}", "{\"d\": -1}"})
    CHECK_THROWS_AS(lp::read(parse(text), out), DocumentError);
}

TEST_CASE("floats are written with the fewest digits that read back") {
  CHECK(lp::write(Floats{0.1f, 0.1}).dump(0) == R"({"x": 0.1, "y": 0.1})");
  CHECK(lp::write(Floats{16777216.f, 1.0 / 3}).dump(0) == R"({"x": 16777216.0, "y": 0.3333333333333333})");
  for (const Floats& f : {Floats{FLT_MAX, DBL_MAX}, Floats{FLT_TRUE_MIN, 5e-324}, Floats{-0.0f, -0.0}, Floats{1.0f / 3, 1e23}}) {
    const Floats back = copy_through(f, false);
    CHECK(back.x == f.x);
    CHECK(back.y == f.y);
    CHECK(std::signbit(back.x) == std::signbit(f.x));
  }
  Floats out;
  CHECK_THROWS_AS(lp::read(parse("{\"x\": 1e39}"), out), DocumentError);
  CHECK(lp::write(Floats{NAN, INFINITY}).dump(0) == R"({"x": null, "y": null})");
}

TEST_CASE("read(write(x)) is x, in full and compact") {
  for (const Recipe& r : {Recipe{}, recipe::unusual()})
    for (bool compact : {false, true}) CHECK(lp::write(copy_through(r, compact)) == lp::write(r));
  Filled f;
  for (bool compact : {false, true}) {
    CHECK(lp::write(copy_through(f, compact)) == lp::write(f));
    Filled g;
    g.maybe.reset();
    g.chosen.select("sgd");  // fresh, but not the struct's default
    g.list.clear();
    g.names.clear();
    const Filled back = copy_through(g, compact);
    CHECK(lp::write(back) == lp::write(g));
    CHECK_FALSE(back.maybe);
    CHECK(dynamic_cast<recipe::Sgd&>(*back.chosen).momentum == 0.9);
    Filled h;
    h.maybe->narrow = false;
    h.list.push_back({});
    h.names.push_back({"b", {}});
    CHECK(lp::write(copy_through(h, compact)) == lp::write(h));
  }
}

TEST_CASE("compact writing says only what differs") {
  CHECK(lp::write(Recipe{}, true).dump(0) == "{}");
  CHECK(lp::write(Filled{}, true).dump(0) == R"({"maybe": {}})");
  CHECK(lp::write(recipe::read(R"({"train": {"optimizer": {"sgd": {"lr": 0.5}}}, "weights": "int4"})"), true).dump(0) ==
        R"({"train": {"optimizer": {"sgd": {"lr": 0.5}}}, "weights": "int4"})");
  CHECK(lp::write(recipe::read(R"({"overrides": {"a": "int4", "b": {}}, "layers": [{"linear": {"out": 10}}]})"), true).dump(0) ==
        R"({"overrides": {"a": "int4", "b": {}}, "layers": ["linear"]})");
}

TEST_CASE("full writing says everything") {
  CHECK(lp::write(Recipe{}).dump(0) ==
        R"({"name": "run", "train": {"epochs": 4, "batch": 64, "decay": 0.1, "loss": "cross_entropy", "optimizer": "sgd"}, )"
        R"("weights": {"format": "int8", "narrow": false}, "overrides": {}, "layers": [], "size": [28, 28], "clip": null, )"
        R"("seed": 1})");
}

TEST_CASE("schema") {
  const Document s = lp::schema<Recipe>("recipe");
  CHECK(s.text_at("$schema") == "http://json-schema.org/draft-07/schema#");
  CHECK(s.text_at("additionalProperties") == "false");
  CHECK(s.at("properties").keys() ==
        std::vector<std::string>{"name", "train", "weights", "overrides", "layers", "size", "clip", "seed", "extends"});
  const Document train = s.at("properties.train.properties");
  CHECK(train.at("epochs").dump(0) ==
        R"({"type": "integer", "minimum": 1, "description": "passes over the data", "default": 4})");
  CHECK(train.at("decay").dump(0) ==
        R"({"type": "number", "minimum": 0, "maximum": 1, "description": "weight decay", "default": 0.1})");
  CHECK(train.at("loss.enum").dump(0) == R"(["cross_entropy", "mse"])");
  CHECK(train.text_at("optimizer.allOf.0.$ref") == "#/definitions/optimizer");
  CHECK(s.text_at("properties.weights.anyOf.0.type") == "string");
  CHECK(s.at("properties.weights.anyOf.1.properties").keys() == std::vector<std::string>{"format", "narrow"});
  CHECK(s.at("properties.size").dump(0) ==
        R"({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3, "description": "of images"})");
  CHECK(s.text_at("properties.layers.items.allOf.0.$ref") == "#/definitions/layers");
  CHECK(s.size("definitions.layers.oneOf") == 6);
  CHECK(s.at("definitions.layers.oneOf.0").dump(0) == R"({"const": "linear", "description": "y = w x + b"})");
  CHECK(s.text_at("definitions.layers.oneOf.5.properties.block.properties.layers.items.allOf.0.$ref") == "#/definitions/layers");
  CHECK(s.at("definitions.layers.oneOf.5.required").dump(0) == R"(["block"])");
}

TEST_CASE("help lists every field once, with type, range, default and doc") {
  const std::vector<lp::FieldHelp> list = lp::help<Recipe>();
  const auto line = [&](std::string_view path) {
    for (const lp::FieldHelp& h : list)
      if (h.path == path) return h.type + "; " + h.allowed + "; " + h.fallback + "; " + h.doc;
    return std::string("absent");
  };
  CHECK(line("name") == "text; ; \"run\"; of the run");
  CHECK(line("train.epochs") == "integer; 1...; 4; passes over the data");
  CHECK(line("train.decay") == "number; [0, 1]; 0.1; weight decay");
  CHECK(line("train.loss") == "word; cross_entropy | mse; cross_entropy; what is minimized");
  CHECK(line("train.optimizer") == "choice; sgd | adam; sgd; how weights move");
  CHECK(line("train.optimizer.sgd.momentum") == "number; [0, 1]; 0.9; share of the last step that is kept");
  CHECK(line("weights") == "object; or its \"format\" alone; ; format of weights");
  CHECK(line("weights.format") == "word; int8 | int4 | ...; int8; number format");
  CHECK(line("overrides") == "names with object; or its \"format\" alone; 0 entries; other formats by layer");
  CHECK(line("overrides.*.narrow") == "bool; true | false; false; leave out the lowest code");
  CHECK(line("layers") == "list of choice; linear | relu | block; 0 elements; the network");
  CHECK(line("layers.*.linear.out") == "integer; 1...; 10; outputs");
  CHECK(line("layers.*.block.layers") == "list of choice; linear | relu | block; 0 elements; inside");
  CHECK(line("layers.*.block.layers.*.linear.out") == "absent");
  CHECK(line("size") == "list of integer; 2..3 elements; 2 elements; of images");
  CHECK(line("clip") == "optional number; >= 0; null; largest gradient");
}

TEST_CASE("a choice is a value") {
  lp::Choice<recipe::Optimizer> a("adam"), b = a;
  dynamic_cast<recipe::Adam&>(*b).lr = 5;
  CHECK(dynamic_cast<recipe::Adam&>(*a).lr == 0.001f);
  CHECK_FALSE(lp::Choice<recipe::Optimizer>());
  CHECK_THROWS_WITH_AS(a.select("adma"), "unknown name \"adma\"; did you mean \"adam\"?", lp::Error);
  CHECK(a.name() == "adam");
  CHECK(lp::word_of(recipe::Loss::mse) == "mse");
}

TEST_CASE("a document as a field takes any JSON, and keeps its places") {
  Loose loose;
  lp::read(parse("{\"base\": \"a.json\",\n \"set\": {\"train.epochs\": 3, \"a\": {\"b\": [null]}},\n \"list\": [1, \"x\"]}"),
           loose);
  CHECK(loose.base.text_at("") == "a.json");
  CHECK_FALSE(loose.maybe.has_value());
  REQUIRE(loose.set.size() == 2);
  CHECK(loose.set[0].first == "train.epochs");
  CHECK(loose.set[0].second.text_at("") == "3");
  CHECK(loose.set[0].second.origin("") == "b.json:2:26");
  CHECK(loose.set[1].second.text_at("b.0") == "null");
  CHECK(loose.list.size() == 2);
  for (const bool compact : {false, true}) CHECK(lp::write(copy_through(loose, compact)) == lp::write(loose));
  CHECK(lp::schema<Loose>("loose").keys("properties.base") == std::vector<std::string>{"description"});
  CHECK(lp::help<Loose>()[0].type == "any");
}

// The table of decoders.
#include "lptrain/data/decoder.h"

#include "lptrain/base/parallel.h"
#include "lptrain/data/decode_blocks.h"
#include "lptrain/data/decode_cifar.h"
#include "lptrain/data/decode_idx.h"
#include "lptrain/data/decode_text.h"
#include "lptrain/data/digits.h"
#include "lptrain/data/tongues.h"
#include "lptrain/data/toys.h"

namespace lp {
namespace {

struct Idx : DecoderBase<Idx> {
  void fields(Fields&) override {}
  static Examples pair(const std::vector<Input>& files, std::string_view split) {
    if (files.empty()) return {};
    if (files.size() != 2)
      fail(ErrorKind::data, "idx: the {} split wants two files (images, labels), found {}", split, files.size());
    return decode_idx_pair(files[0], files[1]);
  }
  Decoded decode(const Inputs& in) const override { return {pair(in.train, "train"), pair(in.test, "test"), {}, {}}; }
};

struct Cifar : DecoderBase<Cifar> {
  int label_bytes = 1;
  void fields(Fields& f) override {
    f("label_bytes", label_bytes, "label bytes before each image; the last one counts (CIFAR-100 has 2)", {1, 8});
  }
  Decoded decode(const Inputs& in) const override {
    return {decode_cifar(in.train, label_bytes), in.test.empty() ? Examples{} : decode_cifar(in.test, label_bytes), {}, {}};
  }
};

// A layout with a function that reads by it.
template <class Layout, Decoded (*kDecode)(const Layout&, const Inputs&)>
struct ByLayout : DecoderBase<ByLayout<Layout, kDecode>> {
  Layout layout;
  void fields(Fields& f) override { layout.fields(f); }
  Decoded decode(const Inputs& inputs) const override { return kDecode(layout, inputs); }
};
using Lines = ByLayout<LinesLayout, decode_lines>;
using Windows = ByLayout<WindowsLayout, decode_windows>;
using Blocks = ByLayout<BlocksLayout, decode_blocks>;

// A set that is drawn: example i of a split depends on (seed, split, i) alone.
template <class T>
struct Generator : DecoderBase<T> {
  int64_t train = 2000, test = 1000, seed = 1;
  bool is_generator() const override { return true; }
  void fields(Fields& f) override {
    f("train", train, "training examples to make", {1, 10e6});
    f("test", test, "test examples to make", {1, 10e6});
    f("seed", seed, "another seed makes another set of the same kind", {0, 1e15});
  }
  Decoded decode(const Inputs&) const override {
    const T& self = static_cast<const T&>(*this);
    const Key key(static_cast<uint64_t>(seed));
    return {self.make(train, key.with("train")), self.make(test, key.with("test")), {}, self.columns()};
  }
  std::vector<std::string> columns() const { return {}; }
};

struct Digits : Generator<Digits> {
  Digits() {
    train = 20000;
    test = 10000;
  }
  Examples make(int64_t count, Key key) const { return digit_examples(count, key); }
};

struct PlaneSet : Generator<PlaneSet> {
  Plane shape = Plane::spirals;
  double noise = 0.03;
  void fields(Fields& f) override {
    f("shape", shape, "which points");
    f("noise", noise, "standard deviation added to both coordinates", {0, 10});
    Generator::fields(f);
  }
  Examples make(int64_t count, Key key) const { return plane_examples(shape, count, static_cast<float>(noise), key); }
  std::vector<std::string> columns() const { return {"x", "y"}; }
};

struct Machine : Generator<Machine> {
  Examples make(int64_t count, Key key) const { return machine_examples(count, key); }
  std::vector<std::string> columns() const { return machine_columns(); }
};

struct Shapes : Generator<Shapes> {
  Examples make(int64_t count, Key key) const { return shape_examples(count, key); }
};

struct WordSet : Generator<WordSet> {
  Examples make(int64_t count, Key key) const { return word_examples(count, key); }
  Decoded decode(const Inputs& in) const override {
    Decoded d = Generator::decode(in);
    return {d.train, d.test, tongue_names(), {}, word_alphabet()};
  }
};

struct Babble : Generator<Babble> {
  Examples make(int64_t count, Key key) const { return babble_examples(count, key); }
  Decoded decode(const Inputs& in) const override {
    Decoded d = Generator::decode(in);
    return {d.train, d.test, babble_classes(), {}, babble_alphabet()};
  }
};

constexpr ChoiceRow<Decoder> kRows[] = {
    choice_row<Decoder, Idx>("idx", "IDX files as of MNIST: images, then labels, for each split"),
    choice_row<Decoder, Cifar>("cifar", "the binary version of CIFAR-10 or CIFAR-100"),
    choice_row<Decoder, CsvDecoder>("csv", "text tables of numbers and words"),
    choice_row<Decoder, FolderDecoder>("image_folder", "folders of PNG or JPEG pictures, one a class"),
    choice_row<Decoder, Lines>("lines", "text files, one a class: every line is an example"),
    choice_row<Decoder, Windows>("windows", "windows of a text, and the character behind each as its class"),
    choice_row<Decoder, Blocks>("blocks", "sequences of vectors: blocks of rows of numbers"),
    choice_row<Decoder, Digits>("digits", "generated: 28 x 28 grey handwritten-looking digits"),
    choice_row<Decoder, PlaneSet>("plane", "generated: two classes of points in the plane"),
    choice_row<Decoder, Machine>("machine", "generated: a table of 8 measurements and a binary label"),
    choice_row<Decoder, Shapes>("shapes", "generated: 24 x 24 colour pictures of crosses and circles"),
    choice_row<Decoder, WordSet>("words", "generated: words of six invented languages"),
    choice_row<Decoder, Babble>("babble", "generated: windows of an invented language, and the character behind each"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Decoder>> choices<Decoder>() {
  return kRows;
}

}  // namespace lp

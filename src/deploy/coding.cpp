// Choosing how a tensor is stored, and reading it back with suspicion.
#include "lptrain/deploy/coding.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "lptrain/base/document.h"
#include "lptrain/deploy/huffman.h"
#include "packed_parts.h"
#include "sparse_index.h"

namespace lp {
namespace {

constexpr std::string_view kIndex = ".index", kCoding = ".coding";
constexpr int64_t kNoteBytes = 200;  // about what the note and the index's entry in the header take

// What stands for a tensor: patterns of so many bits each, row-major.
struct Patterns {
  int bits;
  std::vector<uint32_t> list;
};

struct CodingNote {
  std::string type = "u8";  // of the tensor
  std::vector<int64_t> shape;
  int64_t bits = 0, count = 0;  // of its patterns
  int64_t absent = 0;           // the one that is left out, if there is an index
  int64_t width = 0;            // bits of those that are stored; with steps, numbers above `absent` have moved down by one
  SparseIndex index;
  int64_t steps = 0;                                // of the index
  bool has_words = false, has_index_words = false;  // Huffman's

  void fields(Fields& f) {
    constexpr double kMost = 1e15;
    f("type", type, "of the tensor: u8, f32, f16, bf16");
    f("shape", shape, "its extents", {0, Shape::kMaxRank});
    f("bits", bits, "of a pattern", {1, 32});
    f("count", count, "of patterns", {0, kMost});
    f("absent", absent, "pattern that is left out", {0, 0x1p32 - 1});
    f("width", width, "bits of a stored pattern", {1, 32});
    f("index", index, "where they stand");
    f("steps", steps, "of the index", {0, kMost});
    f("has_words", has_words, "stored patterns are Huffman's words");
    f("has_index_words", has_index_words, "steps are, too");
  }
};

bool has_steps(const SparseIndex& index) { return index.gap_bits > 0; }

// A list of numbers as bytes, the shorter way if both are allowed.
struct Bytes {
  Tensor bytes;
  bool are_words = false;
};
Bytes bytes_of(std::span<const uint32_t> numbers, int bits, Coding most) {
  Bytes fixed{fixed_bits(numbers, bits)};
  if (most != Coding::huffman || numbers.empty() || std::ranges::max(numbers) >= kMostSymbols) return fixed;
  Bytes words{huffman_coded(numbers), true};
  return words.bytes.size() < fixed.bytes.size() ? words : fixed;
}

int width_of(std::span<const uint32_t> numbers) {
  return numbers.empty() ? 1 : std::max(1, static_cast<int>(std::bit_width(std::ranges::max(numbers))));
}

struct Stored {
  CodingNote note;
  Tensor values, index;
  int64_t bytes() const { return values.size() + (index ? index.size() : 0); }
};

// The pattern that comes most often, of several the least, and how often.
std::pair<uint32_t, int64_t> most_frequent(std::vector<uint32_t> list) {
  std::ranges::sort(list);
  std::pair<uint32_t, int64_t> most{0, 0};
  for (auto at = list.begin(); at != list.end();) {
    const auto end = std::upper_bound(at, list.end(), *at);
    if (end - at > most.second) most = {*at, end - at};
    at = end;
  }
  return most;
}

// The patterns with that index; nothing if it does not fit them.
std::optional<Stored> stored_with(const Patterns& patterns, const SparseIndex& index, uint32_t absent, Coding most) {
  std::vector<int64_t> places;
  const int64_t count = std::ssize(patterns.list);
  for (int64_t i = 0; i < count; ++i)
    if (!index.is_there() || patterns.list[static_cast<size_t>(i)] != absent) places.push_back(i);
  if (!index.fits(places, count)) return {};
  Stored s;
  s.note.index = index;
  s.note.absent = index.is_there() ? absent : 0;
  if (index.is_there()) {
    const std::vector<uint32_t> steps = index.steps_for(places, count);
    const Bytes written = bytes_of(steps, index.bits(), most);
    s.index = written.bytes;
    s.note.steps = std::ssize(steps);
    s.note.has_index_words = written.are_words;
  }
  std::vector<uint32_t> values;
  for (const int64_t place : places) {
    const uint32_t p = patterns.list[static_cast<size_t>(place)];
    values.push_back(has_steps(index) && p > absent ? p - 1 : p);
  }
  s.note.width = width_of(values);
  const Bytes written = bytes_of(values, static_cast<int>(s.note.width), most);
  s.values = written.bytes;
  s.note.has_words = written.are_words;
  return s;
}

Stored smallest(const Patterns& patterns, Coding most) {
  Stored best = *stored_with(patterns, {}, 0, most);
  const auto [absent, times] = most_frequent(patterns.list);
  if (times * (patterns.bits + 1) < std::ssize(patterns.list)) return best;  // a bit or more for each of the others is too much
  for (const SparseIndex& index : sparse_indices())
    if (auto next = stored_with(patterns, index, absent, most); next && next->bytes() < best.bytes()) best = std::move(*next);
  return best;
}

// Halves and floats are the bits that they are; codes are read as their note says. Nothing of other tensors.
std::optional<Patterns> patterns_of(const TensorFile& file, const std::string& name, const Tensor& t) {
  const std::string* text = file.note(name);
  if (t.size() == 0 || (t.dtype() == DType::u8) != (text != nullptr)) return {};
  if (t.dtype() == DType::f32 || is_half(t.dtype())) {
    Patterns p{8 * bytes_of(t.dtype()), std::vector<uint32_t>(static_cast<size_t>(t.size()))};
    const auto* from = static_cast<const uint8_t*>(t.raw());
    const size_t n = static_cast<size_t>(bytes_of(t.dtype()));
    for (size_t i = 0; i < p.list.size(); ++i) std::memcpy(&p.list[i], from + i * n, n);
    return p;
  }
  if (!text) return {};
  PackedNote note;
  read(Document::parse(*text, name), note);
  const int64_t count = note.is_listed ? Shape(note.shape).size() : note.lanes[0] * note.lanes[1] * note.lanes[2];
  return Patterns{note.format.bits(), read_fixed_bits(t, count, note.format.bits())};
}

[[noreturn]] void damaged(const std::string& place, const char* what) { fail(ErrorKind::data, "{}: {}", place, what); }

CodingNote note_of(const std::string& text, const std::string& place) {
  try {
    CodingNote note;
    read(Document::parse(text, place), note);
    return note;
  } catch (const DocumentError& e) {
    fail(ErrorKind::data, "{}: the note of its coding is damaged: {}", place, e.what());
  }
}

// An empty tensor of the type and shape that the note tells, if its patterns fill one.
Tensor tensor_for(const CodingNote& note, const std::string& place) {
  static constexpr DType kTypes[] = {DType::u8, DType::f32, DType::f16, DType::bf16};
  const auto type = std::ranges::find_if(kTypes, [&](DType t) { return name_of(t) == note.type; });
  if (type == std::end(kTypes)) damaged(place, "its type is not u8, f32, f16 or bf16");
  Shape shape;
  try {
    shape = Shape(note.shape);
  } catch (const Error& e) {
    damaged(place, e.what());
  }
  const bool is_filled = *type == DType::u8
                             ? shape.rank() == 1 && shape.size() == packed_bytes(note.count, static_cast<int>(note.bits))
                             : note.bits == 8 * bytes_of(*type) && note.count == shape.size();
  if (!is_filled) damaged(place, "its patterns do not fill its shape");
  return Tensor(shape, *type);
}

std::vector<uint32_t> numbers_in(const Tensor& bytes, int64_t count, int bits, bool are_words, const std::string& place) {
  if (are_words) return huffman_decoded(bytes, count, place);
  if (bytes.size() != packed_bytes(count, bits)) damaged(place, "its bytes are not what its count needs");
  return read_fixed_bits(bytes, count, bits);
}

// Where the stored patterns stand; checked before anything of the size of the whole is made.
std::vector<int64_t> places_of(const TensorFile& file, const std::string& name, const CodingNote& note,
                               const std::string& place) {
  const Tensor* index = file.find(name + std::string(kIndex));
  if (!index || index->dtype() != DType::u8) damaged(place, "its index is missing, or of another type");
  const bool can_reach =
      has_steps(note.index) ? note.count >> note.index.gap_bits <= note.steps : note.count / note.index.of <= note.steps;
  if (note.steps > 8 * index->size() || !can_reach) damaged(place, "its index is shorter than its count needs");
  return note.index.places_in(numbers_in(*index, note.steps, note.index.bits(), note.has_index_words, place), note.count, place);
}

std::vector<uint32_t> patterns_in(const TensorFile& file, const std::string& name, const Tensor& values, const CodingNote& note,
                                  const std::string& place) {
  const int width = static_cast<int>(note.width);
  const uint64_t most = (uint64_t{1} << note.bits) - 1;
  if (!note.index.is_there()) {
    if (note.count > 8 * values.size()) damaged(place, "its bytes are not what its count needs");
    std::vector<uint32_t> list = numbers_in(values, note.count, width, note.has_words, place);
    if (!list.empty() && std::ranges::max(list) > most) damaged(place, "holds a pattern that is too long");
    return list;
  }
  const std::vector<int64_t> places = places_of(file, name, note, place);
  const std::vector<uint32_t> stored = numbers_in(values, std::ssize(places), width, note.has_words, place);
  std::vector<uint32_t> list(static_cast<size_t>(note.count), static_cast<uint32_t>(note.absent));
  for (size_t i = 0; i < stored.size(); ++i) {
    const uint64_t pattern = uint64_t{stored[i]} + (has_steps(note.index) && stored[i] >= note.absent ? 1 : 0);
    if (pattern > most) damaged(place, "holds a pattern that is too long");
    list[static_cast<size_t>(places[i])] = static_cast<uint32_t>(pattern);
  }
  return list;
}

Tensor tensor_of(const TensorFile& file, const std::string& name, const Tensor& values, const std::string& text,
                 const std::string& place) {
  const CodingNote note = note_of(text, place);
  if (values.dtype() != DType::u8) damaged(place, "coded patterns are expected in U8");
  if (note.absent > (int64_t{1} << note.bits) - 1) damaged(place, "what it leaves out is too long");
  const std::vector<uint32_t> list = patterns_in(file, name, values, note, place);
  Tensor t = tensor_for(note, place);
  if (t.dtype() == DType::u8) return fixed_bits(list, static_cast<int>(note.bits));
  auto* to = static_cast<uint8_t*>(t.raw());
  const size_t n = static_cast<size_t>(bytes_of(t.dtype()));
  for (size_t i = 0; i < list.size(); ++i) std::memcpy(to + i * n, &list[i], n);
  return t;
}

int64_t total_bytes(const TensorFile& file) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += tensor.bytes();
  return bytes;
}

}  // namespace

TensorFile coded(const TensorFile& packed, Coding most) {
  TensorFile file;
  file.metadata = packed.metadata;
  for (const auto& [name, tensor] : packed.tensors) {
    std::optional<Stored> stored;
    const std::optional<Patterns> patterns = most == Coding::dense ? std::nullopt : patterns_of(packed, name, tensor);
    if (patterns) stored = smallest(*patterns, most);
    if (!stored || stored->bytes() + kNoteBytes >= tensor.bytes()) {
      file.tensors.emplace_back(name, tensor);
      continue;
    }
    CodingNote& note = stored->note;
    note.type = name_of(tensor.dtype());
    note.shape.assign(tensor.shape().begin(), tensor.shape().end());
    note.bits = patterns->bits;
    note.count = std::ssize(patterns->list);
    file.tensors.emplace_back(name, stored->values);
    if (stored->index) file.tensors.emplace_back(name + std::string(kIndex), stored->index);
    file.metadata.emplace_back(name + std::string(kCoding), write(note, true).dump(0));
  }
  return file;
}

TensorFile decoded(const TensorFile& file, std::string_view name) {
  TensorFile packed;
  const auto is_index = [&](const std::string& t) {
    return t.ends_with(kIndex) && file.note(t.substr(0, t.size() - kIndex.size()) + std::string(kCoding));
  };
  for (const auto& [tensor_name, tensor] : file.tensors) {
    if (is_index(tensor_name)) continue;
    const std::string* text = file.note(tensor_name + std::string(kCoding));
    packed.tensors.emplace_back(
        tensor_name, text ? tensor_of(file, tensor_name, tensor, *text, fmt::format("{}: \"{}\"", name, tensor_name)) : tensor);
  }
  for (const auto& entry : file.metadata)
    if (!entry.first.ends_with(kCoding)) packed.metadata.push_back(entry);
  return packed;
}

StoredBytes stored_bytes(const TensorFile& packed) {
  return {total_bytes(packed), total_bytes(coded(packed, Coding::sparse)), total_bytes(coded(packed, Coding::huffman))};
}

Coding worthwhile(const StoredBytes& bytes) { return 4 * bytes.huffman <= 3 * bytes.dense ? Coding::huffman : Coding::dense; }

}  // namespace lp

// Safetensors: a header that describes itself, checked whole before a byte of data is touched.
#include "lptrain/train/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <optional>

#include "lptrain/base/document.h"
#include "lptrain/base/files.h"
#include "lptrain/base/random.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

static_assert(std::endian::native == std::endian::little, "these files hold little-endian numbers as they lie in memory");

constexpr size_t kMostTensors = 1 << 15;  // finding one in the header takes time that grows with their number
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::string_view kChecksum = "checksum", kNoSum = "0000000000000000";  // a note that guards the rest, until it is known
constexpr size_t kLengthBytes = 8, kAlignment = 8;

// A DType under its name in these files.
struct TypeName {
  DType type = DType::f32;

  std::string name() const { return std::string(row_of(type).safetensors); }
  static std::vector<std::string> known() {
    std::vector<std::string> names;
    for (const DTypeRow& row : kDTypes) names.emplace_back(row.safetensors);
    return names;
  }
  static TypeName parse(std::string_view text) {
    for (const DTypeRow& row : kDTypes)
      if (row.safetensors == text) return {row.type};
    fail(ErrorKind::usage, "cannot use tensors of type \"{}\"{}", text, suggestion(text, known()));
  }
};

// 64 bits that change with any bit of what is added. Every step is a bijection, so that one changed word cannot be missed.
class Checksum {
 public:
  void add(std::string_view bytes) {
    step(bytes.size());
    uint64_t word = 0;
    for (; bytes.size() >= sizeof word; bytes.remove_prefix(sizeof word)) {
      std::memcpy(&word, bytes.data(), sizeof word);
      step(word);
    }
    word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    step(word);
  }
  std::string text() const { return fmt::format("{:016x}", mix(sum_)); }

 private:
  void step(uint64_t word) { sum_ = (std::rotl(sum_, 29) ^ word) * 0x9e3779b97f4a7c15u; }
  uint64_t sum_ = 0;
};

std::string_view bytes_of(const Tensor& t) {
  return t.bytes() == 0 ? std::string_view("")
                        : std::string_view(static_cast<const char*>(t.raw()), static_cast<size_t>(t.bytes()));
}

// Where the 16 digits of the checksum stand in a header; npos in files of other programs.
size_t place_of_sum(std::string_view header) {
  const std::string key = fmt::format("\"{}\": \"", kChecksum);
  const size_t at = header.find(key);
  return at == header.npos || header.size() - at - key.size() < kNoSum.size() ? header.npos : at + key.size();
}

// Of the header, with zeros for those digits, and of all tensors.
std::string checksum_of(std::string header, const TensorFile& content) {
  Checksum sum;
  sum.add(header.replace(place_of_sum(header), kNoSum.size(), kNoSum));
  for (const auto& [name, tensor] : content.tensors) sum.add(bytes_of(tensor));
  return sum.text();
}

void check_sum(std::string_view header, const TensorFile& content, std::string_view file) {
  const size_t at = place_of_sum(header);
  if (at == header.npos) return;
  const std::string_view wanted = header.substr(at, kNoSum.size());
  if (const std::string found = checksum_of(std::string(header), content); found != wanted)
    fail(ErrorKind::data,
         "{}: its \"{}\" is {}, but what it holds gives {}: damaged (a program that changes it must drop that note)", file,
         kChecksum, wanted, found);
}

// What the header says of one tensor; every part must be there.
struct Entry {
  std::optional<TypeName> dtype;
  std::optional<std::vector<int64_t>> shape, data_offsets;

  void fields(Fields& f) {
    f("dtype", dtype, "type of the elements");
    f("shape", shape, "extents", {0, Shape::kMaxRank});
    f("data_offsets", data_offsets, "first byte of the data, and the one behind the last", {2, 2});
    f.claim(dtype && shape && data_offsets, "needs \"dtype\", \"shape\" and \"data_offsets\"");
  }
};

// Its fields are named by the file.
struct Header {
  Dictionary<std::string> metadata;
  Dictionary<Entry> tensors;

  void fields(Fields& f) {
    f(kMetadata, metadata, "notes, all text");
    for (auto& [name, entry] : tensors) f(name, entry, "a tensor");
  }
};

Header read_header(std::string_view text, std::string_view name) {
  if (!text.starts_with('{')) fail(ErrorKind::data, "{}: the header is not a JSON object: not a safetensors file", name);
  const Document document = Document::parse(text, name);
  Header header;
  const std::vector<std::string> keys = document.keys();
  if (keys.size() > kMostTensors) fail(ErrorKind::data, "{}: {} tensors, at most {} are read", name, keys.size(), kMostTensors);
  for (const std::string& key : keys) {
    if (key.empty()) fail(ErrorKind::data, "{}: a tensor without a name", name);
    if (key != kMetadata) header.tensors.emplace_back(key, Entry{});
  }
  read(document, header);
  return header;
}

using Named = std::pair<std::string, Entry>;

// The entries in the order of their data, which together must be the data: no holes, no overlaps, nothing behind.
std::vector<const Named*> in_data_order(const Dictionary<Entry>& entries, size_t data_bytes, std::string_view file) {
  std::vector<const Named*> order;
  for (const Named& named : entries) order.push_back(&named);
  const auto lies_before = [](const Named* a, const Named* b) { return *a->second.data_offsets < *b->second.data_offsets; };
  std::ranges::stable_sort(order, lies_before);
  int64_t end = 0;
  for (const Named* named : order) {
    const int64_t begin = (*named->second.data_offsets)[0], next = (*named->second.data_offsets)[1];
    if (begin != end || next < begin || static_cast<uint64_t>(next) > data_bytes) {
      fail(ErrorKind::data, "{}: tensor \"{}\" is said to lie at bytes {}..{} of the data, expected to begin at {} and end by {}",
           file, named->first, begin, next, end, data_bytes);
    }
    end = next;
  }
  if (static_cast<uint64_t>(end) != data_bytes)
    fail(ErrorKind::data, "{}: {} bytes of data, but {} belong to tensors: damaged", file, data_bytes, end);
  return order;
}

Tensor read_tensor(const Named& named, std::string_view data, std::string_view file) {
  const auto& [name, entry] = named;
  const int64_t begin = (*entry.data_offsets)[0], bytes = (*entry.data_offsets)[1] - begin;
  const DType type = entry.dtype->type;
  Shape shape;
  try {
    shape = Shape(*entry.shape);
  } catch (const Error& e) {
    fail(ErrorKind::data, "{}: tensor \"{}\": {}", file, name, e.what());
  }
  if (bytes % bytes_of(type) != 0 || bytes / bytes_of(type) != shape.size()) {
    fail(ErrorKind::data, "{}: tensor \"{}\" is {} {}, but has {} bytes", file, name, name_of(type), shape.text(), bytes);
  }
  Tensor t(shape, type);
  if (bytes > 0) std::memcpy(t.raw(), data.data() + begin, static_cast<size_t>(bytes));
  return t;
}

Header header_of(const TensorFile& content) {
  require(!content.note(kChecksum), "a note cannot be called \"{}\": it is written by itself", kChecksum);
  Header header{content.metadata, {}};
  header.metadata.emplace_back(kChecksum, kNoSum);
  int64_t at = 0;
  std::vector<std::string_view> names;
  for (const auto& [name, tensor] : content.tensors) {
    require(!name.empty() && name != kMetadata, "a tensor cannot be called \"{}\"", name);
    require(static_cast<bool>(tensor), "tensor \"{}\" is empty: nothing to write", name);
    const std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end()), offsets{at, at + tensor.bytes()};
    header.tensors.emplace_back(name, Entry{TypeName{tensor.dtype()}, shape, offsets});
    at += tensor.bytes();
    names.push_back(name);
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  require(twice == names.end(), "two tensors are called \"{}\"", twice == names.end() ? "" : *twice);
  return header;
}

template <class T>
auto found(const std::vector<std::pair<std::string, T>>& list, std::string_view name) -> const T* {
  const auto it = std::ranges::find(list, name, [](const auto& entry) { return std::string_view(entry.first); });
  return it == list.end() ? nullptr : &it->second;
}

}  // namespace

const Tensor* TensorFile::find(std::string_view name) const { return found(tensors, name); }
const std::string* TensorFile::note(std::string_view key) const { return found(metadata, key); }

void write_tensors(const std::filesystem::path& file, const TensorFile& content) {
  std::string header = write(header_of(content)).dump(0);
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  header.replace(place_of_sum(header), kNoSum.size(), checksum_of(header, content));
  const uint64_t length = header.size();
  std::vector<std::string_view> parts{{reinterpret_cast<const char*>(&length), kLengthBytes}, header};
  for (const auto& [name, tensor] : content.tensors) parts.push_back(bytes_of(tensor));
  write_file(file, parts);
}

TensorFile parse_tensors(std::string_view bytes, std::string_view name) {
  uint64_t length = 0;
  if (bytes.size() < kLengthBytes) fail(ErrorKind::data, "{}: {} bytes, too short for a safetensors file", name, bytes.size());
  std::memcpy(&length, bytes.data(), kLengthBytes);
  bytes.remove_prefix(kLengthBytes);
  if (length > bytes.size()) {
    fail(ErrorKind::data, "{}: a header of {} bytes is announced, {} bytes follow: truncated, or not a safetensors file", name,
         length, bytes.size());
  }
  const std::string_view data = bytes.substr(length);
  try {
    Header header = read_header(bytes.substr(0, length), name);
    TensorFile content;
    for (const Named* named : in_data_order(header.tensors, data.size(), name))
      content.tensors.emplace_back(named->first, read_tensor(*named, data, name));
    check_sum(bytes.substr(0, length), content, name);
    content.metadata = std::move(header.metadata);
    std::erase_if(content.metadata, [](const auto& note) { return note.first == kChecksum; });
    return content;
  } catch (const DocumentError& e) {
    fail(ErrorKind::data, "{}: the header is damaged: {}", name, e.what());
  }
}

TensorFile read_tensors(const std::filesystem::path& file) { return parse_tensors(read_file(file), file.string()); }

}  // namespace lp

// Tensors in a file that other programs read too: safetensors (8-byte little-endian header length, JSON header, dense
// little-endian data).
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/tensor/tensor.h"

namespace lp {

struct TensorFile {
  std::vector<std::pair<std::string, Tensor>> tensors;  // in file order
  std::vector<std::pair<std::string, std::string>> metadata;

  const Tensor* find(std::string_view name) const;
  const std::string* note(std::string_view key) const;  // a metadata entry
};

// Written whole or not at all (base/files.h), with a checksum of all notes and tensors in a note "checksum" of its own, which
// reading checks and takes away. Files of other programs have none.
void write_tensors(const std::filesystem::path& file, const TensorFile& content);
// Checks everything before use: header length, JSON, names, types, shapes, offsets without holes or overlaps, file size,
// checksum. Throws Error(data) with file and place.
TensorFile read_tensors(const std::filesystem::path& file);
TensorFile parse_tensors(std::string_view bytes, std::string_view name);

}  // namespace lp

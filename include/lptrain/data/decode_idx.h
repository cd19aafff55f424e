// IDX, the format of MNIST. Source: Y. LeCun's MNIST page: magic 0 0 type rank, big-endian extents, then the elements.
#pragma once
#include <string_view>

#include "lptrain/data/examples.h"

namespace lp {

// u8 of the file's own shape (rank 1..4). Only type 8 (unsigned byte) exists in practice; others are refused. Error(data) names
// `file` and byte.
Tensor decode_idx(std::string_view bytes, std::string_view file);

// Images [N,H,W] or [N,H,W,C] with their labels [N].
Examples decode_idx_pair(const Input& images, const Input& labels);

}  // namespace lp

// The functions behind the rows of the product tables, each defined in the file that its name says.
#pragma once
#include "lptrain/kernel/product.h"

namespace lp {

MatmulRun matmul_reference, matmul_portable, matmul_widened, matmul_openblas, matmul_onednn, matmul_onednn_i8, matmul_vnni,
    matmul_split;
const char* matmul_portable_refuses(const MatmulKey& key);
const char* matmul_widened_refuses(const MatmulKey& key);
const char* matmul_openblas_refuses(const MatmulKey& key);
const char* matmul_onednn_refuses(const MatmulKey& key);
const char* matmul_onednn_i8_refuses(const MatmulKey& key);
const char* matmul_vnni_refuses(const MatmulKey& key);
const char* matmul_split_refuses(const MatmulKey& key);

ConvReady conv2d_onednn_ready(const ConvKey&key, const void*b), conv2d_vnni_ready(const ConvKey&key, const void*b),
    conv2d_split_ready(const ConvKey&key, const void*b), conv2d_widened_ready(const ConvKey&key, const void*b);
ConvRun conv2d_reference, conv2d_im2col, conv2d_onednn, conv2d_onednn_i8, conv2d_vnni, conv2d_split, conv2d_widened;
const char* conv2d_im2col_refuses(const ConvKey& key);
const char* conv2d_onednn_refuses(const ConvKey& key);
const char* conv2d_onednn_i8_refuses(const ConvKey& key);
const char* conv2d_vnni_refuses(const ConvKey& key);
const char* conv2d_split_refuses(const ConvKey& key);
const char* conv2d_widened_refuses(const ConvKey& key);

// The outcome of the extreme operands, one line per integer row of a family; made once.
std::span<const RowCheck> check_matmul_rows();
std::span<const RowCheck> check_conv2d_rows();

}  // namespace lp

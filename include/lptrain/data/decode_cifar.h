// The binary version of CIFAR-10/100: records of label bytes, then the R, G and B planes. Source: A. Krizhevsky's CIFAR page.
#pragma once
#include <span>

#include "lptrain/data/examples.h"

namespace lp {

// Files are read one at a time, in order, into one u8 [N,32,32,3]. `label_bytes` is 1 (CIFAR-10) or 2 (CIFAR-100: coarse, fine);
// the last one counts.
Examples decode_cifar(std::span<const Input> files, int label_bytes = 1);

}  // namespace lp

// Data sets as files and as pictures to look at.
#pragma once
#include <filesystem>

#include "lptrain/data/dataset.h"
#include "lptrain/data/image.h"

namespace lp {

// Writes every example, unchanged: pictures as <folder>/<split>/<class>/<number>.png, tables, sequences and texts as
// <folder>/<split>.csv with a header and the class's name in the last column "class". Splits are train (validation included) and
// test. The folder appears whole or not at all; if it exists it must be empty (Error(usage)).
void export_dataset(const Dataset& dataset, const std::filesystem::path& folder);

// The first training examples of each class: one row a class, in the order of the labels. Tables of two columns become a plot of
// points, one grey level a class; others have no picture (Error(usage)).
Image contact_sheet(const Dataset& dataset, int columns = 16);

}  // namespace lp

// What may stand in a run config, for machines (JSON Schema) and people (help): the fields of RunConfig, and "phases".
#pragma once
#include <string>
#include <vector>

#include "lptrain/base/document.h"

namespace lp {

Document run_schema();              // draft-07
std::vector<FieldHelp> run_help();  // a line per key; lists and dictionaries have elements "*"

// What one of the words of a choice means ("train.optimizer.adam"); "" if the path names none.
std::string doc_of_choice(const std::string& path);

// The part of a schema that describes the value at a path ("train.optimizer.adam"), with the definitions that it refers to.
// Throws Error(usage) naming the first key that is not there, with a suggestion.
Document schema_of_field(const Document& schema, const std::string& path);

}  // namespace lp

// What may stand in a run config, for machines (JSON Schema) and people (help): the fields of RunConfig, and "phases".
#pragma once
#include <string>
#include <vector>

#include "lptrain/base/document.h"

namespace lp {

Document run_schema();              // draft-07
std::vector<FieldHelp> run_help();  // a line per key; lists and dictionaries have elements "*"
std::vector<FieldHelp> own_help();  // without the keys inside phases and overrides, which repeat those of the top level

// A word that may stand at a path: a row of a choice, a name of a list, a spelling to begin with. doc: what it means, "" where
// only its key says.
struct WordHelp {
  std::string word, doc;
};
std::vector<WordHelp> words_at(const std::string& path);  // in the order of their table; throws as schema_of_field

// What one of the words of a choice means ("train.optimizer.adam"); "" if the path names none.
std::string doc_of_choice(const std::string& path);

// The part of a schema that describes the value at a path ("train.optimizer.adam"), with the definitions that it refers to.
// Throws Error(usage) naming the first key that is not there, with a suggestion.
Document schema_of_field(const Document& schema, const std::string& path);

}  // namespace lp

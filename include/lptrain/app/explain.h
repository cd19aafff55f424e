// What a config key, a role and a layer are: the answers of `lptrain explain`, as data and as text.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "lptrain/app/product_plan.h"

namespace lp {

struct KeyLine {
  std::string path, doc;
  void fields(Fields& f);
};

// A key of run configs. Elements of lists and dictionaries may be written as '*' or by their own names.
struct KeyExplanation {
  std::string path, doc, type, allowed, fallback;
  std::string value, origin;  // in a config; "" without one
  std::vector<KeyLine> keys;  // directly below
  void fields(Fields& f);
  std::string text() const;
};
// `word`: a path, its end ("lr"), or a path with words left out ("train.lr"), if only one path is meant, or only one of them is
// in the config. Nothing if there is no such key; throws Error(usage) listing them if there are several. config and source (what
// it was written as) may be null.
std::optional<KeyExplanation> explain_key(const std::string& word, const RunConfig* config, const Document* source);
bool names_key(const std::string& word, const RunConfig* config);  // one, not several
std::vector<std::string> key_words();                              // last parts of all paths: for suggestions

// A word that values are chosen by, of one table: what it means, and the keys that it may stand at.
struct WordMeaning {
  std::string doc;  // "" where only its keys say
  std::vector<KeyLine> keys;
  void fields(Fields& f);
};
struct WordExplanation {
  std::string word;
  std::vector<WordMeaning> meanings;
  void fields(Fields& f);
  std::string text() const;
};
// A row of a choice, a name of a list, a number format. Nothing if no key takes it.
std::optional<WordExplanation> explain_word(const std::string& word);
std::vector<std::string> choice_words();  // all that stand in tables: for suggestions

std::string_view doc_of(Rounding rounding);
// The scale rule in use: that of the choice, or of the default that the format brings.
std::string rule_name(const Quantizer& q);
// A quantizer in words: "int8 narrow, scale absmax per channel, nearest_even, gradient clipped".
std::string quantizer_text(const Quantizer& q);

struct RolePlace {
  std::string place, quantizer;  // a layer, or a role of one
  void fields(Fields& f);
};

struct RoleExplanation {
  std::string role, doc;
  std::vector<RolePlace> places;  // in a config's model; empty without one
  void fields(Fields& f);
  std::string text() const;
};
RoleExplanation explain_accumulator(const Precision* precision, const std::vector<std::string>& layers);
RoleExplanation explain_role(Role role, const Precision* precision, const std::vector<std::string>& layers);

// A quantizer of a method, with the formulas that it computes.
struct QuantizerExplanation {
  std::string role, layers;                                 // layers: "" for all, or the pattern of an override
  std::string format, forward, backward;                    // in letters: q = s v, v = round(x / s) ...
  std::string scale, decision, offset, rounding, gradient;  // what their rows say; "" where there is none
  void fields(Fields& f);
  std::string text(const QuantizerExplanation* before) const;  // what differs from it; nothing if nothing does
};

struct MethodPhase {
  std::string name;
  std::vector<QuantizerExplanation> quantizers;
  std::vector<std::string> in_float;  // patterns of layers that an override leaves alone
  std::string accumulator;            // of products; "" if it is that of the arithmetic
  std::string train;                  // what differs from the defaults, as JSON
  void fields(Fields& f);
  std::string text(const MethodPhase* before) const;
};

// A method of training with quantization: what its config says, in words. One of configs/methods.
struct MethodExplanation {
  std::string name, description, expected, config, model;
  std::vector<MethodPhase> phases;
  void fields(Fields& f);
  std::string text() const;
};
std::vector<std::string> method_names();  // sorted
// Nothing if there is no such method.
std::optional<MethodExplanation> explain_method(const std::string& name);

struct LayerExplanation {
  std::string name, kind, doc, output, weights;  // shapes: of one example, and of the weights ("" without)
  int64_t parameters = 0, macs = 0, batch = 0;
  std::vector<RolePlace> quantizers;  // by role, for layers with products
  std::vector<ProductPlan> products;
  void fields(Fields& f);
  std::string text() const;
};
// A layer of a built model. Throws Error(usage) with a suggestion if it has no such layer.
LayerExplanation explain_layer(const std::string& name, const Model& model, const RunConfig& config);

}  // namespace lp

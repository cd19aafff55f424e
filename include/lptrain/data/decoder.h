// The ways to make examples out of files, or out of nothing: one table row each.
#pragma once
#include <memory>

#include "lptrain/base/fields.h"
#include "lptrain/data/decode_csv.h"
#include "lptrain/data/decode_folder.h"
#include "lptrain/data/examples.h"

namespace lp {

// Turns the files of a data set into examples; generators need no files. All content errors are Error(data).
struct Decoder {
  virtual ~Decoder() = default;
  virtual void fields(Fields& f) = 0;
  virtual std::unique_ptr<Decoder> clone() const = 0;
  virtual Decoded decode(const Inputs& inputs) const = 0;
  virtual bool is_generator() const { return false; }
};

template <class T>
struct DecoderBase : Decoder {
  std::unique_ptr<Decoder> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
};

// Two rows have names of their own, because a config can spell their layouts without a card.
struct CsvDecoder : DecoderBase<CsvDecoder> {
  CsvLayout layout;
  void fields(Fields& f) override { layout.fields(f); }
  Decoded decode(const Inputs& inputs) const override { return decode_csv(layout, inputs); }
};
struct FolderDecoder : DecoderBase<FolderDecoder> {
  ImageLayout layout;
  void fields(Fields& f) override { layout.fields(f); }
  Decoded decode(const Inputs& inputs) const override { return decode_folder(layout, inputs); }
};

// idx cifar csv image_folder lines windows blocks | digits plane machine shapes words babble (generated)
template <>
std::span<const ChoiceRow<Decoder>> choices<Decoder>();

}  // namespace lp

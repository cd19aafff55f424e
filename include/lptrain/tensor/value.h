// What flows through a network: reals, codes of a number format, or both.
#pragma once
#include <memory>

#include "lptrain/kernel/packed.h"
#include "lptrain/number/format.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// Integers (or bf16/f16 bits) and what they mean:  real = scale_c * value(code - zero_point), value as the format says.
// Real zero is always on the grid (padding is the zero point). Codes of binary are its reals -1 and +1, so that products of codes
// are products of reals; 0 is none of them, and stands only in the padding that a convolution itself sees.
struct Codes {
  Tensor codes;  // i8 u8 i16 i32: the code; bf16, f16: the bit pattern (format bf16 or f16, scale 1)
  Format format;
  Tensor scale;   // f32, one element per index of `axis`, or a single one
  int axis = -1;  // -1: one scale for the whole tensor
  int32_t zero_point = 0;

  bool is_per_tensor() const { return axis < 0; }
  float scale_of(int64_t channel) const { return scale.data<float>()[static_cast<size_t>(is_per_tensor() ? 0 : channel)]; }
};

// Codes in bytes at their own width: what weights are kept in by those who only multiply with them (kernel/packed.h).
struct PackedCodes {
  Tensor planes;  // u8 [rows, bytes of a row]
  Shape shape;
  Codes meaning;  // with codes of no rows
  int64_t bytes() const { return planes.bytes() + meaning.scale.bytes(); }
};
bool can_pack(const Codes& codes);  // bytes of a format of less than 8 bits, in at least two axes
PackedCodes packed(const Codes& codes);
Codes unpacked(const PackedCodes& codes);
CodeWidth width_of(const Format& format);

// How the codes of a format are kept: i8 u8 i16 i32, or bf16/f16 themselves. Formats without codes of their own (f32, f64, other
// floats) have none.
bool has_codes(const Format& format);
DType storage_of(const Format& format, int32_t zero_point);

Tensor decode(const Codes& codes, DType type = DType::f32);  // the reals, in f32 or f64

// An immutable handle. The real tensor of a value that has only codes is made when somebody asks for it, and then kept; so are
// the codes of one that has only packed codes, which products do not ask for.
class Value {
 public:
  Value() = default;
  Value(Tensor reals);                                   // NOLINT: a tensor is a value
  explicit Value(Codes codes, DType type = DType::f32);  // `type` is what tensor() will be
  Value(Tensor reals, Codes codes);                      // both, when both are at hand; they must agree
  explicit Value(PackedCodes codes, DType type = DType::f32);

  explicit operator bool() const { return state_ != nullptr; }
  const Shape& shape() const;
  int64_t size() const { return shape().size(); }
  DType dtype() const;                             // of tensor()
  const Tensor& tensor() const;                    // f32 or f64 reals
  const Codes* codes() const;                      // nullptr: none
  const PackedCodes* packed_codes() const;         // nullptr: none
  bool has_tensor() const;                         // without making it
  int64_t bytes() const;                           // of all that is there now
  Value reals() const { return Value(tensor()); }  // the same numbers, codes forgotten
  Value rows(int64_t begin, int64_t end) const;  // elements begin..end-1 of axis 0, sharing bytes: of the reals if they are there

  // The same operation on whatever is there: for ops that only move elements (reshape, slice, max-pool ...). f: Tensor -> Tensor.
  template <class F>
  Value moved(F&& f) const;

 private:
  struct State {
    Tensor reals;
    Codes codes;
    PackedCodes packed;
    DType type = DType::f32;
  };
  const State& state() const;  // throws Error(failure) if empty
  std::shared_ptr<State> state_;
};

template <class F>
Value Value::moved(F&& f) const {
  const Codes* c = codes();
  if (!c || !c->is_per_tensor()) return Value(f(tensor()));
  Codes out = *c;
  out.codes = f(c->codes);
  return Value(std::move(out), dtype());
}

}  // namespace lp

// Values: reals made from codes on first demand.
#include "lptrain/tensor/value.h"

#include "lptrain/kernel/quantize.h"

namespace lp {
namespace {

Lanes lanes_of(const Shape& shape, int axis) {
  if (axis < 0) return {1, 1, shape.size()};
  return {shape.before(axis), shape[axis], shape.after(axis)};
}

bool is_half(const Format& format) { return format == kF16 || format == kBf16; }

}  // namespace

CodeWidth width_of(const Format& format) { return {format.bits(), format.is_signed, format.family == Format::Family::Binary}; }

bool can_pack(const Codes& c) { return is_byte(c.codes.dtype()) && c.format.bits() < 8 && c.codes.shape().rank() > 1; }

PackedCodes packed(const Codes& c) {
  const Shape& shape = c.codes.shape();
  const CodeWidth width = width_of(c.format);
  const int64_t k = shape.after(0);
  PackedCodes p{Tensor(Shape{shape[0], width.row_bytes(k)}, DType::u8), shape, c};
  p.meaning.codes = Tensor(shape.with(0, 0), c.codes.dtype());
  pack_codes(width, shape[0], k, c.codes.raw(), p.planes.data<uint8_t>().data());
  return p;
}

Codes unpacked(const PackedCodes& p) {
  Codes c = p.meaning;
  c.codes = Tensor(p.shape, c.codes.dtype());
  unpack_codes(width_of(c.format), p.shape[0], p.shape.after(0), p.planes.data<uint8_t>().data(), c.codes.raw());
  return c;
}

bool has_codes(const Format& format) {
  return is_half(format) || (format.is_integer_grid() && format.bits() <= 16) || format.family == Format::Family::Binary;
}

DType storage_of(const Format& format, int32_t zero_point) {
  if (format == kBf16) return DType::bf16;
  if (format == kF16) return DType::f16;
  const int64_t low = format.lo(), high = format.hi();
  require(zero_point >= low && zero_point <= high, "zero point {} is not a code of {}", zero_point, format.name());
  if (low >= -128 && high <= 127) return DType::i8;
  if (low >= 0 && high <= 255) return DType::u8;
  if (low >= -32768 && high <= 32767) return DType::i16;
  return DType::i32;
}

Tensor decode(const Codes& c, DType type) {
  Tensor y(c.codes.shape(), type);
  // Codes of binary are the reals -1 and +1 themselves: they read as ternary ones.
  QuantizeKey key{c.format.family == Format::Family::Binary ? Format::parse("ternary") : c.format};
  key.zero_point = c.zero_point;
  key.lanes = lanes_of(c.codes.shape(), c.axis);
  dequantize(key, c.codes.dtype(), c.codes.raw(), c.scale.data<float>().data(), type, y.raw());
  return y;
}

Value::Value(Tensor reals) : state_(std::make_shared<State>()) {
  require(is_real(reals.dtype()), "a value holds f32 or f64 reals, or codes; found bare {}", name_of(reals.dtype()));
  state_->type = reals.dtype();
  state_->reals = std::move(reals);
}

Value::Value(Codes codes, DType type) : state_(std::make_shared<State>()) {
  state_->codes = std::move(codes);
  state_->type = type;
}

Value::Value(Tensor reals, Codes codes) : Value(std::move(reals)) {
  require(codes.codes.shape() == state_->reals.shape(), "codes {} and reals {} differ", codes.codes.shape().text(),
          state_->reals.shape().text());
  state_->codes = std::move(codes);
}

Value Value::rows(int64_t begin, int64_t end) const {
  if (has_tensor() || !codes()) return Value(tensor().rows(begin, end));
  Codes part = *codes();
  part.codes = part.codes.rows(begin, end);
  if (part.axis == 0) part.scale = part.scale.rows(begin, end);
  return Value(std::move(part), dtype());
}

Value::Value(PackedCodes codes, DType type) : state_(std::make_shared<State>()) {
  state_->packed = std::move(codes);
  state_->type = type;
}

const Value::State& Value::state() const {
  if (!state_) fail(ErrorKind::failure, "an empty value was used where numbers are needed");
  return *state_;
}

const Shape& Value::shape() const {
  const State& s = state();
  return s.reals ? s.reals.shape() : s.codes.codes ? s.codes.codes.shape() : s.packed.shape;
}
DType Value::dtype() const { return state().type; }
const Codes* Value::codes() const {
  if (packed_codes() && !state_->codes.codes) state_->codes = unpacked(state_->packed);
  return state_ && state_->codes.codes ? &state_->codes : nullptr;
}
const PackedCodes* Value::packed_codes() const { return state_ && state_->packed.planes ? &state_->packed : nullptr; }
bool Value::has_tensor() const { return state_ && state_->reals; }

int64_t Value::bytes() const {
  const State& s = state();
  int64_t bytes = s.packed.planes ? s.packed.bytes() : 0;
  if (s.reals) bytes += s.reals.bytes();
  if (s.codes.codes) bytes += s.codes.codes.bytes() + s.codes.scale.bytes();
  return bytes;
}

const Tensor& Value::tensor() const {
  if (!state().reals) state_->reals = decode(*codes(), state_->type);
  return state_->reals;
}

}  // namespace lp

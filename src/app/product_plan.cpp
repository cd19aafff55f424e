// Foreseeing the arithmetic of a layer's products: the same questions that training asks, on operands of two channels.
#include "lptrain/app/product_plan.h"

#include "lptrain/kernel/product.h"
#include "lptrain/tensor/product.h"

namespace lp {
namespace {

// What a product takes: its values, and the roles they were quantized by.
struct Operand {
  Value value;
  Role role;
  Quantizer quantizer;
};
struct Operands {
  Operand x, w, e;
  Accumulator accumulator;
};

Operand seen(const Precision& precision, Role role, const std::string& layer, int axis, const Value& value) {
  const Quantizer q = precision.of(role, layer);
  Lens lens("plan", role, axis, q);
  return {Context(nullptr, Mode::eval).look(lens, Var(value)).value, role, q};
}

// A linear layer sees its input and errors as [rows, channels]: codes with a scale per channel do not survive that.
Operand flattened(Operand o) {
  if (o.value.codes() && !o.value.codes()->is_per_tensor()) o.value = o.value.reals();
  return o;
}

Value with_scales_along(const Value& v, int axis) {
  Codes codes = *v.codes();
  codes.axis = axis;
  codes.scale = Tensor::full(Shape{axis < 0 ? 1 : codes.codes.shape()[axis]}, 1.0);
  return Value(std::move(codes), v.dtype());
}

Operands operands_of(const LayerLine& layer, const Precision& precision, DType compute, bool sees_input) {
  const bool is_linear = layer.kind == "linear";
  const Value ones(Tensor::full(is_linear ? Shape{2, 2} : Shape{2, 1, 1, 2}, 1.0, compute));
  const Operand input = sees_input ? seen(precision, Role::input, "", -1, ones) : Operand{ones, Role::input, {}};
  Operand x = input.value.codes() ? input : seen(precision, Role::activations, layer.name, -1, input.value);
  Operand e = seen(precision, Role::errors, layer.name, -1, ones);
  return {is_linear ? flattened(x) : x, seen(precision, Role::weights, layer.owner(), 0, ones), is_linear ? flattened(e) : e,
          precision.accumulator_of(layer.name)};
}

// Are scales of output channels taken out of the weights and put into the errors (src/grad/product.cpp)?
bool folds(const Operands& o) {
  const Codes* w = o.w.value.codes();
  return !o.e.quantizer.is_identity() && w && !w->is_per_tensor();
}
bool has_one_scale(const Value& v) { return v.codes() && v.codes()->is_per_tensor(); }

Value reals_if_folded(const Operands& o, bool is_folded) { return is_folded ? o.e.value.reals() : o.e.value; }

// The operands of dx = dy w and of dw = dy x.
std::pair<Value, Value> dx_operands(const Operands& o) {
  const bool is_folded = folds(o);
  if (is_folded && has_one_scale(o.e.value)) return {o.e.value, with_scales_along(o.w.value, -1)};
  return {reals_if_folded(o, is_folded), o.w.value};
}
Value dw_error(const Operands& o) {
  const bool is_folded = folds(o);
  return is_folded && has_one_scale(o.e.value) ? with_scales_along(o.e.value, o.e.value.shape().rank() - 1)
                                               : reals_if_folded(o, is_folded);
}

// Why an operand takes part without codes, for people; "" if it has them. `used`: what is left of it in this product.
std::string uncoded(const Operand& o, const Value& used) {
  if (used.codes()) return "";
  const std::string_view role = word_of(o.role);
  if (o.quantizer.is_identity()) return fmt::format("{} are not quantized", role);
  const Scale& rule = o.quantizer.rule();
  if (rule.kind() == Scale::Kind::own) return fmt::format("the scale \"{}\" makes reals of {}", o.quantizer.scale.name(), role);
  if (rule.waits({})) return fmt::format("{} are quantized after a delay only", role);
  if (o.quantizer.offset || rule.brings_offset()) return fmt::format("{} have a real offset", role);
  if (has_codes(o.quantizer.format)) return fmt::format("{} have a scale per channel", role);
  return fmt::format("{} are {}, which has no codes that products run on", role, o.quantizer.format.name());
}

// Values as a product takes them, each with the operand that it was made of.
Arithmetic arithmetic(const Value& a, int kept_a, const Value& b, int kept_b, const Operand& first, const Operand& second,
                      const Accumulator& accumulator) {
  Arithmetic how = arithmetic_of(a, kept_a, b, kept_b, accumulator);
  std::string why = uncoded(first, a);
  if (why.empty()) why = uncoded(second, b);
  if (!why.empty()) how.why = why;
  return how;
}

// Sums that 32 bits cannot hold run on 16-bit codes.
Arithmetic with_room(Arithmetic how, int64_t terms) {
  if (how.result != DType::i32 || terms <= kExactTerms || !how.is_native()) return how;
  return on_words(fmt::format("sums of {} terms do not fit 32 bits", terms));
}

bool runs_on_integers(DType a) { return a == DType::i8 || a == DType::u8 || a == DType::i16; }

// What the check of integer rows found against a row; "" if it may be used.
std::string refused(std::string_view family, std::string_view row) {
  for (const RowCheck& check : check_integer_rows())
    if (check.family == family && check.row == row && check.outcome.starts_with("wrong")) return check.outcome;
  return "";
}

template <class Row, class Key>
ProductPlan planned(const char* pass, const Arithmetic& how, std::string_view family, std::span<const Row> rows, const Key& key) {
  ProductPlan plan{
      pass, std::string(name_of(how.a)), std::string(name_of(how.b)), std::string(name_of(how.result)), how.why, "", false, {}};
  if (key.is_modelled()) {
    plan.row = rows.back().name;
    plan.is_modelled = true;
    plan.why =
        fmt::format("sums are held in {}: modelled exactly, one product after the other, which is slow", key.accumulator.name());
    return plan;
  }
  for (const Row& row : rows) {
    std::string why = why_not(row, key);
    if (why.empty() && runs_on_integers(key.a)) why = refused(family, row.name);
    plan.row = row.name;
    if (why.empty()) break;
    plan.faster.push_back({std::string(row.name), why});
  }
  return plan;
}

std::vector<ProductPlan> plan_linear(const Operands& o, const ConvShape& s, bool needs_dx) {
  const auto plan = [](const char* pass, const Arithmetic& how, const MatmulKey& key) {
    return planned(pass, how, "matmul", matmul_rows(), key);
  };
  const auto [e, w] = dx_operands(o);
  const Arithmetic forward = with_room(arithmetic(o.x.value, 0, o.w.value, 0, o.x, o.w, o.accumulator), s.C);
  const Arithmetic dx = with_room(arithmetic(e, 0, w, 1, o.e, o.w, o.accumulator), s.O),
                   dw = arithmetic(dw_error(o), 1, o.x.value, 1, o.e, o.x, o.accumulator);
  std::vector<ProductPlan> plans{plan("forward", forward, forward.key(s.N, s.O, s.C, false, true))};
  if (needs_dx) plans.push_back(plan("dx", dx, dx.key(s.N, s.C, s.O, false, false)));
  plans.push_back(plan("dw", dw, dw.key(s.O, s.C, std::min(s.N, kExactTerms), true, false)));
  return plans;
}

std::vector<ProductPlan> plan_conv2d(const Operands& o, const ConvShape& s, bool needs_dx, DType compute) {
  const auto plan = [](const char* pass, ConvPass direction, const Arithmetic& how, const ConvShape& shape) {
    return planned(pass, how, "conv2d", conv2d_rows(), how.key(direction, shape));
  };
  const auto shift = [](const Value& v) { return v.codes() ? v.codes()->zero_point : 0; };
  const auto [e, w] = dx_operands(o);
  const int64_t window = s.KH * s.KW, dx_terms = window * s.O / s.groups;
  ConvShape padded = s;
  if (shift(o.x.value) != 0) padded.H += 2 * s.pad_h, padded.W += 2 * s.pad_w, padded.pad_h = padded.pad_w = 0;
  const Arithmetic forward = with_room(arithmetic(o.x.value, -1, o.w.value, 0, o.x, o.w, o.accumulator), window * s.C / s.groups);
  Arithmetic dx = arithmetic(e, -1, w, -1, o.e, o.w, o.accumulator),
             dw = arithmetic(o.x.value, -1, dw_error(o), 3, o.x, o.e, o.accumulator);
  if (runs_on_integers(dx.a) && shift(e) != 0) dx = on_reals(compute, "errors have a zero point", o.accumulator);
  if (runs_on_integers(dx.a) && dx_terms > kExactTerms && dx.is_native()) dx = on_reals(compute, "its sums do not fit 32 bits");
  if (runs_on_integers(dw.a) && shift(o.x.value) != 0) dw = on_reals(compute, "the input has a zero point", o.accumulator);
  std::vector<ProductPlan> plans{plan("forward", ConvPass::forward, forward, padded)};
  if (needs_dx) plans.push_back(plan("dx", ConvPass::backward_data, dx, s));
  plans.push_back(plan("dw", ConvPass::backward_weights, dw, s));
  return plans;
}

struct DataShape {
  Shape shape;
  int64_t classes;
};

DataShape data_shape(const DatasetSpec& spec, const DataFolders& folders) {
  const Card card = card_of(spec, folders);
  if (card.shape.empty() || card.classes.empty()) {
    const Dataset data = load_dataset(spec, folders);
    return {data.shape, std::ssize(data.classes)};
  }
  Shape shape(card.shape);
  if (shape.rank() == 3 && spec.resize.size() == 2) shape = Shape{spec.resize[0], spec.resize[1], shape[2]};
  return {shape, std::ssize(card.classes)};
}

}  // namespace

void FasterRow::fields(Fields& f) {
  f("row", row, "of the kernel table");
  f("why", why, "it does not run this product");
}

void ProductPlan::fields(Fields& f) {
  f("pass", pass, "forward, dx or dw");
  f("a", a, "type of the first operand");
  f("b", b, "type of the second operand");
  f("result", result, "what sums are held in");
  f("why", why, "it is not narrower");
  f("row", row, "of the kernel table that runs it");
  f("is_modelled", is_modelled, "in a named accumulator: exact, and slow");
  f("faster", faster, "rows above it, and why they do not run it");
}

Model model_of(const RunConfig& config, const std::string& data_folder) {
  const auto [shape, classes] = data_shape(config.dataset, data_folders(data_folder));
  return made_model(config, config.phases.back(), shape, classes);
}

std::vector<ProductPlan> plan_products(const LayerLine& layer, const Precision& precision, int64_t batch, DType compute,
                                       bool sees_input) {
  if (!layer.product) return {};
  ConvShape shape = *layer.product;
  shape.N *= batch;
  const Operands o = operands_of(layer, precision, compute, sees_input);
  return layer.kind == "linear" ? plan_linear(o, shape, !sees_input) : plan_conv2d(o, shape, !sees_input, compute);
}

}  // namespace lp

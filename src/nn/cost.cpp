// Counting what a network costs.
#include "lptrain/nn/cost.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "lptrain/tensor/value.h"

namespace lp {
namespace {

constexpr double kPico = 1e-12;
constexpr double kAddI32 = 0.1, kAddF32 = 0.9, kMultiplyI8 = 0.2, kMultiplyI32 = 3.1, kMultiplyF16 = 1.1, kMultiplyF32 = 3.7;

bool is_integer(const Format& f) { return f.is_integer_grid() || f.family == Format::Family::Binary; }

// All parameters and lenses by name.
struct Places : Visitor {
  std::map<std::string, Param*> params;
  std::map<std::string, Lens*> lenses;
  std::vector<Param*> list;  // of parameters that have a value
  void param(Param& p) override {
    params[p.name] = &p;
    if (p.value) list.push_back(&p);
  }
  void lens(Lens& l) override { lenses[l.name] = &l; }
};

const Format& arithmetic_of(DType compute) { return compute == DType::f64 ? kF64 : kF32; }

// Behind a lens: its format, or that of the arithmetic where nothing is on a grid.
Format format_in(const Lens* lens, DType compute) {
  const Format format = lens ? lens->format() : kF32;
  return format == kF32 || format == kF64 ? arithmetic_of(compute) : format;
}

// What a layer multiplies its weights with: a value that carries codes already is left alone by the layer's own lens.
Format activations_of(const LayerLine& line, const Places& places, bool sees_entrance, DType compute) {
  const Lens& entrance = *places.lenses.at("input");
  if (sees_entrance && !entrance.is_identity() && has_codes(entrance.quantizer.format)) return entrance.quantizer.format;
  return format_in(places.lenses.at(line.name + ".input"), compute);
}

double share_of_zeros(Param& p, const Places& places) {
  Context eye(nullptr, Mode::eval);
  eye.survey(places.list);
  const Tensor seen = eye.param(p).tensor();
  return visit_real(seen.dtype(), [&]<class T>() {
    const auto w = seen.data<T>();
    return static_cast<double>(std::ranges::count(w, T(0))) / static_cast<double>(w.size());
  });
}

// Is it a parameter of this layer, not of one inside it?
bool belongs(const std::string& param, const std::string& layer) {
  return param.size() > layer.size() && param.starts_with(layer) && param[layer.size()] == '.' &&
         param.find('.', layer.size() + 1) == param.npos;
}

// Bits of a parameter with its scales; f32 scales of whole tensors and channels are left out of `bare`, as is the custom where
// formats are compared: int8 has 8 bits a weight, mxfp4 4.25.
struct ParamBits {
  double all, bare;
};
// Of weights of which some are on a grid and the others reals: with a bit each that tells which.
ParamBits partly_held(const Param& p, double on_grid, DType compute) {
  double held = 0;
  visit_real(p.held.dtype(), [&]<class T>() {
    for (const T h : p.held.data<T>()) held += h != 0;
  });
  const double rest = static_cast<double>(p.value.size()) - held;
  const double bits = held * (1 + on_grid) + rest * (1 + arithmetic_of(compute).bits());
  return {bits, bits};
}

ParamBits bits_of(const Param& p, DType compute) {
  const Format format = format_in(p.lens.get(), compute);
  const double bare = static_cast<double>(p.value.size() * format.bits());
  if (!p.lens || format == arithmetic_of(compute)) return {bare, bare};
  Quantizer q = p.lens->quantizer;
  q.format = format;
  const double all = q.bits_for(p.value.shape(), p.lens->axis);
  if (p.held) return partly_held(p, all / static_cast<double>(p.value.size()), compute);
  const bool has_many_scales = q.per.kind == Per::Kind::group || q.per.kind == Per::Kind::block;
  return {all, has_many_scales ? all : bare};
}

void count_parameters(const Places& places, DType compute, LayerCost& cost) {
  double bits = 0;
  for (const auto& [name, p] : places.params) {
    if (!belongs(name, cost.name)) continue;
    cost.parameters += p->value.size();
    bits += bits_of(*p, compute).all;
  }
  cost.bytes = static_cast<int64_t>(std::ceil(bits / 8));
}

// The layer's weights, if it has any: parameters of that role.
Param* weights_of(const Places& places, const std::string& layer) {
  const auto found = places.params.find(layer + ".weight");
  const bool are_weights = found != places.params.end() && found->second->lens && found->second->lens->role == Role::weights;
  return are_weights ? found->second : nullptr;
}

LayerCost cost_of_layer(const LayerLine& line, const Places& places, bool sees_entrance, DType compute) {
  LayerCost cost;
  cost.name = line.name;
  cost.kind = line.kind;
  cost.output = line.output.text();
  cost.macs = line.cost.macs;
  if (line.name.empty()) return cost;
  count_parameters(places, compute, cost);
  Param* weight = weights_of(places, line.owner());
  if (!weight) return cost;
  const Format w = format_in(weight->lens.get(), compute);
  cost.weights = w.name();
  if (line.tied.empty()) {
    cost.weight_count = weight->value.size();
    cost.bits_per_weight = bits_of(*weight, compute).bare / static_cast<double>(cost.weight_count);
    cost.sparsity = share_of_zeros(*weight, places);
  }
  if (!line.product) return cost;
  const Format x = activations_of(line, places, sees_entrance, compute);
  cost.activations = x.name();
  cost.bit_operations = cost.macs * w.bits() * x.bits();
  cost.energy_joules = static_cast<double>(cost.macs) * mac_joules(w, x);
  return cost;
}

}  // namespace

double mac_joules(const Format& a, const Format& b) {
  const double widths = a.bits() * b.bits();
  const int widest = std::max(a.bits(), b.bits());
  if (is_integer(a) && is_integer(b))
    return kPico * (kAddI32 + (widest <= 8 ? kMultiplyI8 * widths / (8 * 8) : kMultiplyI32 * widths / (32 * 32)));
  const double square = widest * widest, sum = kAddF32 * (widest > 32 ? 2 : 1);
  return kPico * (sum + (widest <= 16 ? kMultiplyF16 * square / (16 * 16) : kMultiplyF32 * square / (32 * 32)));
}

void LayerCost::fields(Fields& f) {
  f("name", name, "of the layer");
  f("kind", kind, "of the layer");
  f("output", output, "shape for one example");
  f("parameters", parameters, "trained numbers");
  f("bytes", bytes, "of them, packed at their width");
  f("weights", weights, "format");
  f("activations", activations, "format of the input");
  f("weight_count", weight_count, "weights: parameters that are multiplied");
  f("bits_per_weight", bits_per_weight, "of the format");
  f("sparsity", sparsity, "share of weights that are zero");
  f("macs", macs, "multiply-accumulates for one example");
  f("bit_operations", bit_operations, "macs times the bits of both operands");
  f("energy_joules", energy_joules, "of the arithmetic for one example: an estimate (Horowitz 2014, 45 nm)");
}

void ModelCost::fields(Fields& f) {
  f("layers", layers, "in order");
  f("parameters", parameters, "of all layers");
  f("bytes", bytes, "of them, packed");
  f("weight_count", weight_count, "weights: parameters that are multiplied");
  f("bits_per_weight", bits_per_weight, "mean over the weights");
  f("sparsity", sparsity, "share of weights that are zero, as they stand");
  f("macs", macs, "for one example");
  f("bit_operations", bit_operations, "for one example");
  f("energy_joules", energy_joules, "of the arithmetic for one example: an estimate (Horowitz 2014, 45 nm)");
}

ModelCost cost_of(Model& model) {
  Places places;
  model.visit(places);
  ModelCost total;
  double bits = 0, zeros = 0;
  for (size_t i = 0; i < model.lines().size(); ++i) {
    const LayerCost& cost =
        total.layers.emplace_back(cost_of_layer(model.lines()[i], places, sees_input(model.lines(), i), model.compute()));
    total.parameters += cost.parameters;
    total.bytes += cost.bytes;
    total.weight_count += cost.weight_count;
    total.macs += cost.macs;
    total.bit_operations += cost.bit_operations;
    total.energy_joules += cost.energy_joules;
    bits += cost.bits_per_weight * static_cast<double>(cost.weight_count);
    zeros += cost.sparsity * static_cast<double>(cost.weight_count);
  }
  if (total.weight_count == 0) return total;
  total.bits_per_weight = bits / static_cast<double>(total.weight_count);
  total.sparsity = zeros / static_cast<double>(total.weight_count);
  return total;
}

}  // namespace lp

// Counting by layer and role, and what became of updates.
#include "lptrain/train/numerics.h"

#include <algorithm>
#include <map>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

template <class Row, class Matches>
Row& row_in(std::vector<Row>& rows, const Matches& matches, const Row& fresh) {
  const auto found = std::ranges::find_if(rows, matches);
  return found != rows.end() ? *found : rows.emplace_back(fresh);
}

RoleNumerics& role_row(std::vector<RoleNumerics>& rows, const std::string& layer, Role role, const std::string& format) {
  return row_in(
      rows, [&](const RoleNumerics& r) { return r.layer == layer && r.role == role && r.format == format; },
      RoleNumerics{layer, role, format, {}});
}

// What evaluation sees of a parameter: codes, where its format has them, else reals; empty if no quantizer stands before it.
Tensor seen_codes(Param& p, const std::vector<Param*>& all) {
  Tensor seen;
  if (!p.lens || p.lens->is_identity()) return seen;
  Context eye(nullptr, Mode::eval);
  eye.survey(all);
  eye.watch([&](const Look& look) {
    const Format grid = look.how.quantizer->grid();
    const bool has_i32_codes = look.scale && grid.bits() < 32;
    const Shape& shape = look.x.shape();
    seen = has_i32_codes ? slice(codes_of(look.x.tensor(), look.scale, look.how), shape.rank() - 1, 0, shape.back())
                         : look.y.tensor();
  });
  eye.param(p);
  return seen;
}

bool are_alike(const Tensor& a, const Tensor& b, size_t i) {
  const size_t width = static_cast<size_t>(bytes_of(a.dtype())), at = i * width;
  return std::memcmp(static_cast<const std::byte*>(a.raw()) + at, static_cast<const std::byte*>(b.raw()) + at, width) == 0;
}

// f(i) for every element that the optimizer wanted to change.
template <class F>
void each_wanted(const Tensor& was, const Tensor& wanted, const Tensor& mask, F f) {
  visit_real(was.dtype(), [&]<class T>() {
    const T* w = was.data<T>().data();
    const T* kept = mask ? mask.data<T>().data() : nullptr;
    const double* to = wanted.data<double>().data();
    for (int64_t i = 0; i < was.size(); ++i)
      if (to[i] != static_cast<double>(w[i]) && (!kept || kept[i] != 0)) f(static_cast<size_t>(i));
  });
}

}  // namespace

bool is_quantized(const Look& look) {
  return look.scale ||
         (!look.lens.is_identity() && look.how.quantizer->rule().kind() == Scale::Kind::own && !look.x.value.codes());
}

void RoleNumerics::fields(Fields& f) {
  f("layer", layer, "name; empty: the network's input");
  f("role", role, "of the numbers");
  f("format", format, "that they became");
  tally.fields(f);
}

void UpdateNumerics::fields(Fields& f) {
  const Range counts{0, 1e18};
  f("layer", layer, "name");
  f("master", master, "format that weights are kept in");
  f("weights", weights, "format that weights are seen in");
  f("updates", updates, "elements that the optimizer, computing in f64, would have changed", counts);
  f("lost", lost, "of them, those that stayed what they were", counts);
  f("coded", coded, "of them, those of parameters that are seen through a quantizer", counts);
  f("same_code", same_code, "of those, the ones whose code stayed what it was", counts);
}

void SumNumerics::fields(Fields& f) {
  f("layer", layer, "name");
  f("of", of, "product: y, forward; dx, dw, its gradients");
  f("accumulator", accumulator, "format");
  counts.fields(f);
}

void LossScalePoint::fields(Fields& f) {
  f("step", step, "from which on", {0, 1e15});
  f("scale", scale, "factor on the loss");
}

void Numerics::fields(Fields& f) {
  f("roles", roles, "by layer and role: what quantizers did");
  f("updates", updates, "by layer: what became of weight updates");
  f("sums", sums, "by layer and product: additions in accumulators that are modelled");
  f("loss_scale", loss_scale, "at the first step, and where it changed");
}

void Numerics::count(const Look& look) {
  if (!is_quantized(look)) return;
  role_row(roles, look.lens.layer(), look.lens.role, look.how.quantizer->format.name()).tally +=
      tally(look.x.tensor(), look.y.tensor(), look.scale, look.how);
}

void Numerics::count(const std::string& layer, Role role, const Quantizer& q, const Tensor& x, const Tensor& y) {
  role_row(roles, layer, role, q.format.name()).tally += tally(x, y, q, 0);
}

void Numerics::note_loss_scale(int64_t step, double scale) {
  if (loss_scale.empty() || loss_scale.back().scale != scale) loss_scale.push_back({step, scale});
}

std::function<SumCounts*(const std::string&, const Accumulator&)> SumProbe::watch() {
  return [this](const std::string& layer, const Accumulator& a) {
    Layer& found = layers_[layer];
    found.format = a.format.name();
    return found.counts.data();
  };
}

void SumProbe::count(Numerics& into) const {
  for (const auto& [layer, found] : layers_)
    for (size_t i = 0; i < found.counts.size(); ++i) {
      const SumNumerics fresh{layer, static_cast<SumNumerics::Of>(i), found.format, {}};
      const auto is_same = [&](const SumNumerics& r) {
        return r.layer == fresh.layer && r.of == fresh.of && r.accumulator == fresh.accumulator;
      };
      if (found.counts[i].additions > 0) row_in(into.sums, is_same, fresh).counts += found.counts[i];
    }
}

struct UpdateProbe::Expected {
  Param* param;
  Tensor was, codes, wanted;  // wanted: f64; empty as long as nobody expects an update
};

UpdateProbe::UpdateProbe(Model& model) : model_(model) {
  const std::vector<Param*> all = model.params();
  for (Param* p : all)
    if (p->lens) expected_.push_back({p, {}, seen_codes(*p, all), {}});
}
UpdateProbe::~UpdateProbe() = default;

void UpdateProbe::expect(const Param& p, const Optimizer& optimizer, const UpdateStep& how, const Tensor& dw,
                         std::span<const Tensor> slots) {
  const auto found = std::ranges::find(expected_, &p, &Expected::param);
  if (found == expected_.end()) return;
  std::vector<Tensor> wide;
  for (const Tensor& slot : slots) wide.push_back(convert(slot, DType::f64).clone());
  found->was = p.value.clone();
  found->wanted = convert(p.value, DType::f64).clone();
  optimizer.update(how, found->wanted, convert(dw, DType::f64), wide);
}

void UpdateProbe::count(const Precision& precision, Numerics& into) {
  const std::vector<Param*> all = model_.params();
  for (const Expected& e : expected_) {
    if (!e.wanted) continue;
    Param& p = *e.param;
    const std::string layer = p.lens->layer(), master = precision.of(Role::master, layer).format.name();
    UpdateNumerics& row = row_in(
        into.updates, [&](const UpdateNumerics& r) { return r.layer == layer; },
        UpdateNumerics{layer, master, precision.of(Role::weights, layer).format.name()});
    const Tensor codes = seen_codes(p, all);
    const bool is_coded = e.codes && codes && codes.shape() == e.codes.shape() && codes.dtype() == e.codes.dtype();
    each_wanted(e.was, e.wanted, p.mask, [&](size_t i) {
      ++row.updates;
      row.lost += are_alike(e.was, p.value, i);
      row.coded += is_coded;
      row.same_code += is_coded && are_alike(e.codes, codes, i);
    });
  }
}

}  // namespace lp

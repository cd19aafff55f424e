// Parameters own their lens; lenses own what was observed and learned.
#include "lptrain/nn/param.h"

namespace lp {

Param::Param(std::string param_name, Tensor initial, bool does_decay)
    : name(std::move(param_name)), value(std::move(initial)), decays(does_decay) {}
Param::~Param() = default;
Param::Param(Param&&) noexcept = default;
Param& Param::operator=(Param&&) noexcept = default;

Lens::Lens(std::string lens_name, Role lens_role, int channel_axis, Quantizer chosen)
    : name(std::move(lens_name)), role(lens_role), axis(channel_axis) {
  set(std::move(chosen));
}

void Lens::set(Quantizer chosen) {
  const bool is_active = !chosen.is_identity();
  const bool scale_learns = is_active && chosen.rule().learns(),
             offset_learns = is_active && chosen.offset && chosen.offset->learns();
  if (chosen == quantizer && scale_learns == scale.has_value() && offset_learns == offset.has_value()) return;
  quantizer = std::move(chosen);
  observed = {};
  scale.reset();
  offset.reset();
  if (scale_learns) scale.emplace(name + ".scale", Tensor(), quantizer.rule().decays());
  if (offset_learns) offset.emplace(name + ".offset", Tensor(), false);
}

Format Lens::format() const {
  const bool has_own = !is_identity() && quantizer.rule().kind() == Scale::Kind::own;
  return has_own ? quantizer.rule().reached(scale ? scale->value : Tensor(), quantizer) : quantizer.format;
}

std::string Lens::layer() const {
  const size_t dot = name.find_last_of('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

}  // namespace lp

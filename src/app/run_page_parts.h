// The sections of a run's page that are files of their own.
#pragma once
#include <span>
#include <string>

#include "lptrain/app/examination.h"
#include "lptrain/nn/cost.h"

namespace lp {

std::string mistakes_section(const Examination& examination, const Dataset& data);
std::string layers_section(const ModelCost& cost, const RunConfig& config, const Model& model,
                           const std::vector<TensorView>& views);
std::string histograms_section(const std::vector<TensorView>& views);
std::string numerics_section(std::span<const EpochScores> history);

}  // namespace lp

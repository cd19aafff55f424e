// The sections of a run's page that are files of their own; a sweep's page shares some.
#pragma once
#include <span>
#include <string>

#include "lptrain/app/data_facts.h"
#include "lptrain/app/examination.h"
#include "lptrain/nn/cost.h"

namespace lp {

std::string mistakes_section(const Examination& examination, const Dataset& data);
std::string layers_section(const ModelCost& cost, const RunConfig& config, const Model& model,
                           const std::vector<TensorView>& views);
std::string histograms_section(const std::vector<TensorView>& views);
std::string numerics_section(std::span<const EpochScores> history);

std::string data_section(std::span<const DataFacts> sets);        // splits of 0 training examples are not known
std::string environment_facts(std::span<const Document> metas);   // of the meta.json of one run or several
std::string command_text(const std::vector<std::string>& words);  // as it was typed
std::vector<std::string> command_of(const Document& meta);

}  // namespace lp

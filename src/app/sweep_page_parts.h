// The sections of a sweep's page that tell of its runs.
#pragma once
#include <string>

#include "sweep_study.h"

namespace lp {

std::string curves_section(const Study& study);
std::string sets_section(const Study& study);  // the data
std::string repeat_section(const Study& study, const std::filesystem::path& folder);

}  // namespace lp

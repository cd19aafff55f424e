// How long a sweep took on the clock, beside what it says that it takes.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "lptrain/app/sweep_folder.h"

namespace lp {

// The time of all calls that made a sweep, in its meta.json. What a call took since it last kept its time is lost if it is
// killed; of a sweep that was begun without it, it stays unknown.
class SweepTime {
 public:
  SweepTime(std::filesystem::path folder, int64_t cores);
  void keep() const;

 private:
  std::filesystem::path folder_;
  SweepMeta meta_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// "0:31:20 of a stated 120 minutes on 2 cores"; "" if it is not known. minutes: of the sweep, 0 if it does not say.
std::string time_text(const SweepMeta& meta, double minutes);

}  // namespace lp

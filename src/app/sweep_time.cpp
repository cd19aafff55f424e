// Adding up the time of a sweep.
#include "lptrain/app/sweep_time.h"

#include <cmath>

namespace lp {

SweepTime::SweepTime(std::filesystem::path folder, int64_t cores) : folder_(std::move(folder)), meta_(read_meta(folder_)) {
  meta_.cores = cores;
}

void SweepTime::keep() const {
  if (!meta_.seconds) return;
  SweepMeta now = meta_;
  *now.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  write_meta(now, folder_);
}

std::string time_text(const SweepMeta& meta, double minutes) {
  constexpr int64_t kStatedCores = 2;
  if (!meta.seconds) return "";
  const int64_t s = std::llround(*meta.seconds);
  const std::string clock = fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  if (minutes == 0) return fmt::format("{} on {} core{}", clock, meta.cores, meta.cores == 1 ? "" : "s");
  return fmt::format("{} of a stated {:g} minutes on {} cores{}", clock, minutes, kStatedCores,
                     meta.cores == kStatedCores ? "" : fmt::format(", here on {}", meta.cores));
}

}  // namespace lp

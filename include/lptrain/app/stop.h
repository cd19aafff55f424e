// Ctrl-C and its kin: the first asks the run to save and stop, the second ends the program at once.
#pragma once
#include <atomic>

namespace lp {

// While it lives, SIGINT, SIGTERM and SIGHUP set the flag to their number instead of ending the program (signals that the
// caller ignores, as under nohup, stay ignored). One at a time; the former handlers come back at the end.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  const std::atomic<int>& flag() const;                  // 0: go on
  int exit_code() const { return 128 + flag().load(); }  // as shells count: 130, 143, 129
};

}  // namespace lp

// Handlers of the signals that ask a run to end.
#include "lptrain/app/stop.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>

namespace lp {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
std::atomic<int> stop{0};
static_assert(std::atomic<int>::is_always_lock_free, "a handler may only touch lock-free atomics");
std::array<struct sigaction, kSignals.size()> former;

// What it says comes before the flag: a second signal, handled by another thread, may end the program as soon as the flag is up.
void on_signal(int number) {
  constexpr std::string_view kText = "\nstopping: saving a checkpoint (once more to end at once)\n";
  if (stop == 0) (void)!::write(STDERR_FILENO, kText.data(), kText.size());
  if (stop.exchange(number) != 0) _exit(128 + number);
}

}  // namespace

StopSignals::StopSignals() {
  stop = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &former[i]);
    if (former[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &former[i], nullptr);
}

const std::atomic<int>& StopSignals::flag() const { return stop; }

}  // namespace lp

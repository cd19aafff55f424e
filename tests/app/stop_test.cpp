// Runs that are interrupted, killed or damaged, and go on as if nothing had happened.
#include "lptrain/app/stop.h"

#include <doctest/doctest.h>

#include "app/program.h"

using namespace lp;
using namespace lp::test;

namespace {

// Long enough to be hit in the middle, short enough to be finished twice.
const Line kRun{"train", "configs/smoke_int8.json", "--set", "train.epochs=12", "--threads", "1"};

std::string weights_of(const std::string& run) { return read_file(run + "/last.safetensors"); }

bool has_epochs(const std::string& run, long count) {
  std::error_code error;
  if (!fs::exists(run + "/metrics.jsonl", error)) return false;
  const std::string lines = read_file(run + "/metrics.jsonl");
  return std::count(lines.begin(), lines.end(), '\n') >= count;
}

// The weights of the same run, never interrupted.
const std::string& uninterrupted() {
  static const std::string bytes = [] {
    const Folder folder;
    const Outcome o = run(kRun + Line{"--out", folder / "whole"});
    REQUIRE_MESSAGE(o.code == 0, o.err);
    return weights_of(folder / "whole");
  }();
  return bytes;
}

// How a run ends that is sent something after some epochs. On a busy machine it may be done before: then once more.
template <class Send>
Outcome stopped(const std::string& folder, long after_epochs, const Send& send) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    fs::remove_all(folder);
    Process process(Call{kRun + Line{"--out", folder}});
    if (process.wait_until([&] { return has_epochs(folder, after_epochs); })) send(process);
    const Outcome o = process.wait();
    if (o.code != 0) return o;
  }
  FAIL("20 runs ended before they were stopped");
  return {};
}

Outcome stopped(const std::string& folder, long after_epochs, int signal) {
  return stopped(folder, after_epochs, [signal](Process& process) { process.signal(signal); });
}

}  // namespace

TEST_CASE(
    "Ctrl-C and its kin save, say how to go on, and exit 128 + signal; the resumed run equals the uninterrupted one bit for "
    "bit") {
  const Folder folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string run_folder = folder / std::to_string(signal);
    const Outcome o = stopped(run_folder, 2, signal);
    CAPTURE(o.err);
    CHECK(o.code == 128 + signal);
    CHECK(o.says("lptrain train --resume " + run_folder));
    CHECK(read_file(run_folder + "/summary.json").find("\"interrupted\"") != std::string::npos);
    const Outcome resumed = run({"train", "--resume", run_folder});
    CAPTURE(resumed.err);
    CHECK(resumed.code == 0);
    CHECK(weights_of(run_folder) == uninterrupted());
    CHECK(has_epochs(run_folder, 12));
    CHECK_FALSE(has_epochs(run_folder, 13));
  }
}

TEST_CASE("a second signal while the first is being obeyed ends the run at once; the checkpoint before it stands") {
  const Folder folder;
  const std::string run_folder = folder / "run";
  const Outcome o = stopped(run_folder, 2, [](Process& process) { process.signal_together({SIGINT, SIGTERM}); });
  CAPTURE(o.err);
  CHECK((o.code == 128 + SIGINT || o.code == 128 + SIGTERM));
  CHECK(o.says("once more to end at once"));
  CHECK_FALSE(o.says("interrupted after"));
  CHECK_FALSE(fs::exists(run_folder + "/summary.json"));
  const Outcome resumed = run({"train", "--resume", run_folder});
  CAPTURE(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(weights_of(run_folder) == uninterrupted());
}

TEST_CASE("kill -9 leaves a checkpoint from which the run goes on to the same bits") {
  const Folder folder;
  for (const long epochs : {1L, 3L}) {
    const std::string run_folder = folder / std::to_string(epochs);
    CHECK(stopped(run_folder, epochs, SIGKILL).code == 128 + SIGKILL);
    write_file(run_folder + "/last.state.tmp-1-0", "half a checkpoint");
    const Outcome resumed = run({"train", "--resume", run_folder});
    CAPTURE(resumed.err);
    CHECK(resumed.code == 0);
    CHECK(weights_of(run_folder) == uninterrupted());
    CHECK_FALSE(fs::exists(run_folder + "/last.state.tmp-1-0"));
  }
}

TEST_CASE("a resumed run that was finished only measures again; options that would change it are refused") {
  const Folder folder;
  REQUIRE(run(kRun + Line{"--out", folder / "a"}).code == 0);
  const Outcome again = run({"train", "--resume", folder / "a"});
  CHECK(again.code == 0);
  CHECK(weights_of(folder / "a") == uninterrupted());
  const Outcome changed = run({"train", "--resume", folder / "a", "--set", "train.epochs=3"});
  CHECK(changed.code == 2);
  CHECK(changed.says("leave out --set"));
  CHECK(run({"train", "configs/smoke_f32.json", "--resume", folder / "a"}).code == 2);
}

TEST_CASE("a damaged config in a run folder exits 3, whoever reads it, and is named") {
  const Folder folder;
  REQUIRE(run(kRun + Line{"--set", "train.epochs=1", "--out", folder / "a"}).code == 0);
  for (const char* text : {"", "{", "{\"train\": {\"epochs\": 1}"}) {
    write_file(folder / "a/config.json", text);
    for (const Line& words : {Line{"train", "--resume", folder / "a"}, Line{"table", folder / "a"},
                              Line{"config", "show", folder / "a"}, Line{"prune", folder / "a", "--sparsity", "0.5"}}) {
      const Outcome o = run(words);
      CHECK_MESSAGE(o.code == 3, words[0], o.err);
      CHECK_MESSAGE(o.says("config.json"), words[0], o.err);
    }
  }
  write_file(folder / "a/config.json", "{\"trian\": {}}");
  CHECK(run({"train", "--resume", folder / "a"}).code == 3);
}

TEST_CASE("a damaged or missing checkpoint exits 3 and names the file") {
  const Folder folder;
  REQUIRE(run(kRun + Line{"--set", "train.epochs=1", "--out", folder / "a"}).code == 0);
  const std::string state = read_file(folder / "a/last.state"), weights = weights_of(folder / "a");
  for (const size_t kept : {size_t{0}, size_t{7}, size_t{100}, state.size() / 2, state.size() - 1}) {
    write_file(folder / "a/last.state", std::string_view(state).substr(0, kept));
    const Outcome o = run({"train", "--resume", folder / "a"});
    CAPTURE(o.err);
    CHECK(o.code == 3);
    CHECK(o.says("last.state"));
  }
  for (const size_t at : {state.size() / 3, state.size() - 1}) {
    std::string flipped = state;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    write_file(folder / "a/last.state", flipped);
    const Outcome o = run({"train", "--resume", folder / "a"});
    CAPTURE(o.err);
    CHECK(o.code == 3);
    CHECK(o.says("last.state"));
  }
  write_file(folder / "a/last.safetensors", std::string_view(weights).substr(0, weights.size() - 4));
  CHECK(run({"eval", folder / "a", "--last"}).code == 3);
  fs::remove(folder.path / "a/last.state");
  CHECK(run({"train", "--resume", folder / "a"}).code == 3);
  CHECK(run({"train", "--resume", folder / "nowhere"}).code == 3);
}

TEST_CASE("the same signal twice ends the process; once does not") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    for (const int times : {1, 2}) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(STDERR_FILENO);
        const StopSignals stop;
        for (int i = 0; i < times; ++i) ::raise(signal);
        ::_exit(0);
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      CHECK(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == (times == 1 ? 0 : 128 + signal));
    }
}

TEST_CASE("the flag holds the signal while the handlers stand, and they go back") {
  struct sigaction before {
  }, after{};
  ::sigaction(SIGTERM, nullptr, &before);
  {
    const StopSignals stop;
    CHECK(stop.flag() == 0);
    ::raise(SIGTERM);
    CHECK(stop.flag() == SIGTERM);
    CHECK(stop.exit_code() == 143);
  }
  ::sigaction(SIGTERM, nullptr, &after);
  CHECK((before.sa_handler == after.sa_handler));
}

// The built program, run as a user runs it: words in; exit code, stdout and stderr out.
#pragma once
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lptrain/base/files.h"
#include "support/folder.h"
#include "support/places.h"

namespace lp::test {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;  // 128 + signal if one ended it
  std::string out, err;
  bool says(const std::string& text) const { return err.find(text) != std::string::npos || out.find(text) != std::string::npos; }
};

using Line = std::vector<std::string>;

// How the program is started. Its standard streams are files in a folder of its own, unless `out` names another.
struct Call {
  Line words;
  fs::path folder = source_dir();  // where it stands
  std::vector<std::pair<std::string, std::string>> environment{};
  std::string out{};
  std::string before{};  // shell commands first: "ulimit -f 8"
};

class Process {
 public:
  explicit Process(const Call& call) : out_(call.out.empty() ? files_ / "out" : call.out) {
    id_ = ::fork();
    if (id_ == 0) become(call);
  }
  ~Process() {
    if (id_ > 0) ::kill(id_, SIGKILL), wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const {
    if (id_ > 0) ::kill(id_, number);
  }
  // Signals that arrive together: the program stands still while they are sent.
  void signal_together(std::initializer_list<int> numbers) {
    signal(SIGSTOP);
    int status = 0;
    if (id_ <= 0 || ::waitpid(id_, &status, WUNTRACED) != id_) return;
    if (!WIFSTOPPED(status)) return finish(status);
    for (const int number : numbers) signal(number);
    signal(SIGCONT);
  }
  bool is_running() {
    int status = 0;
    if (id_ <= 0 || ::waitpid(id_, &status, WNOHANG) == 0) return id_ > 0;
    finish(status);
    return false;
  }
  Outcome wait() {
    int status = 0;
    if (id_ > 0 && ::waitpid(id_, &status, 0) == id_) finish(status);
    return outcome_;
  }
  // Until `ready()`; false if the program ended before.
  template <class Ready>
  bool wait_until(const Ready& ready) {
    while (!ready()) {
      if (!is_running()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

 private:
  [[noreturn]] void become(const Call& call) {
    const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int err = ::open((files_ / "err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(out, 1);
    ::dup2(err, 2);
    fs::current_path(call.folder);
    ::setenv("OMP_WAIT_POLICY", "passive", 0);  // tests run side by side: threads that spin would starve the others
    ::unsetenv("LPTRAIN_DATA");  // tests mean the data they name, not those of whoever runs them
    for (const auto& [name, value] : call.environment) ::setenv(name.c_str(), value.c_str(), 1);
    Line words{"/bin/sh", "-c", (call.before.empty() ? "" : call.before + "; ") + "exec \"$@\"", "sh", binary_dir() + "/lptrain"};
    words.insert(words.end(), call.words.begin(), call.words.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }

  void finish(int status) {
    id_ = 0;
    outcome_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (fs::is_regular_file(out_)) outcome_.out = read_file(out_);
    outcome_.err = read_file(files_ / "err");
  }

  Folder files_;
  std::string out_;
  pid_t id_ = 0;
  Outcome outcome_;
};

inline Outcome run(const Call& call) { return Process(call).wait(); }
inline Outcome run(const Line& words) { return run(Call{words}); }

// The last line of a text.
inline std::string last_line(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

inline Line operator+(Line a, const Line& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace lp::test

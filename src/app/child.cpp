// Starting, asking and ending children.
#include "lptrain/app/child.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "lptrain/base/error.h"

namespace lp {
namespace {

// Between fork and exec: nothing but calls that are safe there.
[[noreturn]] void become(char** words, int log, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before it could be watched
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv("/proc/self/exe", words);
  ::_exit(127);
}

}  // namespace

Child::Child(const std::vector<std::string>& words, const std::filesystem::path& log) {
  std::vector<std::string> all{"lptrain"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : all) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (out < 0) fail(ErrorKind::failure, "cannot write {}: {}", log.string(), std::strerror(errno));
  const pid_t parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) become(pointers.data(), out, parent);
  const int reason = errno;
  ::close(out);
  if (id_ < 0) fail(ErrorKind::failure, "cannot start a program: {}", std::strerror(reason));
}

Child::~Child() {
  if (id_ <= 0 || exit_code()) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

Child::Child(Child&& other) noexcept : id_(std::exchange(other.id_, 0)), code_(other.code_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(code_, other.code_);
  return *this;
}

std::optional<int> Child::exit_code() {
  int status = 0;
  if (id_ > 0 && ::waitpid(id_, &status, WNOHANG) == id_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    id_ = 0;
  }
  return code_;
}

void Child::signal(int number) const {
  if (id_ > 0) ::kill(id_, number);
}

FolderLock::FolderLock(const std::filesystem::path& folder)
    : file_(::open((folder / "lock").c_str(), O_RDWR | O_CREAT, 0666)) {  // no O_CLOEXEC: children hold it too
  constexpr int kAttempts = 100;
  constexpr auto kPause = std::chrono::milliseconds(50);
  for (int i = 0; file_ >= 0 && i < kAttempts; ++i) {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    std::this_thread::sleep_for(kPause);
  }
  if (file_ < 0) fail(ErrorKind::failure, "cannot write in {}: {}", folder.string(), std::strerror(errno));
  ::close(file_);
  fail(ErrorKind::failure, "{}: another lptrain is at work in this folder", folder.string());
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace lp

// The program, started once more by itself: what happens to a child cannot take its parent down.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lp {

// `lptrain WORDS`, its output going to the end of a file. It stands in a process group of its own (the terminal's Ctrl-C reaches
// the parent, which says what it means), and dies with its parent.
class Child {
 public:
  Child(const std::vector<std::string>& words, const std::filesystem::path& log);  // throws Error(failure)
  ~Child();                                                                        // ends it at once if it still runs
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  // Its exit code, or 128 + the signal that ended it; nothing while it runs.
  std::optional<int> exit_code();
  void signal(int number) const;  // nothing happens if it has ended

 private:
  pid_t id_ = 0;
  std::optional<int> code_;
};

// A folder that one program at a time works in; its children hold it too, until the last of them has ended. Throws Error(failure)
// if another still holds it after a few seconds.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

}  // namespace lp

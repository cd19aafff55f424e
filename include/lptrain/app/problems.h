// Mistakes of many configs at once, each told once.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "lptrain/base/document.h"

namespace lp {

class Problems {
 public:
  void add(const std::string& origin, const std::string& message) { add(Problem{origin, "", message}); }
  // Runs what may throw mistakes of a user and keeps them; `where` is the place of those that tell none. Did it work? Other
  // errors pass.
  template <class Action>
  bool attempt(const std::string& where, const Action& action) {
    try {
      action();
      return true;
    } catch (const DocumentError& e) {
      for (const Problem& p : e.problems) add(p);
    } catch (const Error& e) {
      if (e.kind != ErrorKind::usage) throw;
      add(where, e.what());
    }
    return false;
  }
  // Throws them, if there are any.
  void raise() const {
    if (!list_.empty()) throw DocumentError(list_);
  }

 private:
  void add(const Problem& problem) {
    if (seen_.insert(problem.origin + '\n' + problem.message).second) list_.push_back(problem);
  }

  std::vector<Problem> list_;
  std::set<std::string> seen_;
};

}  // namespace lp

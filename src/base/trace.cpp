// One recording, the threads that feed it, and the sums over it.
#include "lptrain/base/trace.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>

namespace lp {
namespace {

struct Book {
  std::mutex mutex;
  std::vector<Span> spans;
  double began = 0;
  std::atomic<int> threads = 0;
  std::atomic<int64_t> number = 0;  // of the recording; 0: none
};

Book& book() {
  static Book* const b = new Book;  // never destroyed: threads may end late
  return *b;
}

std::atomic<bool> is_recording = false;

// What a thread knows of itself in the recording under way.
struct Self {
  int64_t recording = 0;
  int number = 0, depth = 0;
};

Self& self() {
  thread_local Self s;
  if (s.recording != book().number) s = {book().number, book().threads++, 0};
  return s;
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Recording::Recording() {
  Book& b = book();
  const std::scoped_lock lock(b.mutex);
  if (is_recording) throw std::logic_error("two recordings at a time");
  b.spans.clear();
  b.threads = 0;
  ++b.number;
  b.began = steady_seconds();
  is_recording = true;
}

Recording::~Recording() { is_recording = false; }

std::vector<Span> Recording::spans() const {
  const std::scoped_lock lock(book().mutex);
  return book().spans;
}

Timed::Timed(std::string_view family, std::string_view what) : family_(family), what_(what), begin_(-1) {
  if (!is_recording.load(std::memory_order_relaxed)) return;
  ++self().depth;
  begin_ = steady_seconds();
}

Timed::~Timed() {
  if (begin_ < 0) return;
  const double end = steady_seconds();
  Self& me = self();
  if (me.depth > 0) --me.depth;  // else it began in an earlier recording
  Book& b = book();
  const std::scoped_lock lock(b.mutex);
  if (is_recording && begin_ >= b.began)
    b.spans.push_back({std::string(family_), std::string(what_), begin_ - b.began, end - begin_, me.number, me.depth});
}

std::map<std::string, double> own_seconds(const std::vector<Span>& spans) {
  std::map<std::string, double> total;
  std::map<int, std::vector<double>> inside;  // by thread and depth: seconds of spans that ended and wait for the one around them
  for (const Span& s : spans) {
    auto& waiting = inside[s.thread];
    waiting.resize(std::max(waiting.size(), static_cast<size_t>(s.depth) + 2));
    double& children = waiting[static_cast<size_t>(s.depth) + 1];
    total[s.family] += s.seconds - children;
    children = 0;
    waiting[static_cast<size_t>(s.depth)] += s.seconds;
  }
  return total;
}

}  // namespace lp

// Where the time goes: spans of work, noted only while somebody records.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

double steady_seconds();  // of a clock that never goes back; only differences mean something

// A stretch of work that has ended. Spans of one thread are nested; a deeper one lies inside the last shallower one that began
// before it. The order is that of their ends.
struct Span {
  std::string family;  // "product", "quantize", "layer" ...
  std::string what;    // "conv2d/vnni", "conv1 backward" ...
  double begin = 0;    // seconds since the recording began
  double seconds = 0;
  int thread = 0;  // 0: the first that noted something
  int depth = 0;   // spans around it
};

// While it lives, Timed objects of all threads are noted. One at a time (a second throws std::logic_error).
class Recording {
 public:
  Recording();
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  std::vector<Span> spans() const;  // that have ended so far
};

// One span: from here to the end of the block. Costs one atomic load while nobody records. The texts must live as long.
class Timed {
 public:
  explicit Timed(std::string_view family, std::string_view what = {});
  ~Timed();
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  std::string_view family_, what_;
  double begin_;  // negative: nobody records
};

// Seconds by family, each span without the spans inside it: the sum over families is the time that was recorded at all.
std::map<std::string, double> own_seconds(const std::vector<Span>& spans);

}  // namespace lp

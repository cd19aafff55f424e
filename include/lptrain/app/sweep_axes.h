// What a sweep varies: axes with named points, each of which sets values of the config.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "lptrain/app/sweep_spec.h"

namespace lp {

struct Point {
  std::string name;
  Assignments set;
};
struct Axis {
  std::string name;
  std::vector<Point> points;
};
// The names of one point of each axis.
using Points = std::vector<std::string>;

inline constexpr int64_t kMostJobs = 10'000;

// The axes of a sweep. Throws Error(usage), all mistakes of a kind at once: no points, a point twice, two axes that set the same
// path, seeds outside "seeds", names of axes, points and columns that do not exist, more than kMostJobs jobs.
std::vector<Axis> axes_of(const SweepSpec& spec);

// The points of every cell, the last axis fastest.
std::vector<Points> grid(const std::vector<Axis>& axes);
const Point& point_of(const Axis& axis, const std::string& name);

// Do the points match the patterns of every axis that is named?
bool holds(const Dictionary<std::string>& where, const std::vector<Axis>& axes, const Points& points);

// The cells that --only and the "only" of a sweep select: patterns ("int8", "int*", "format=int8") of one axis are alternatives,
// axes are conditions.
class Selection {
 public:
  Selection() = default;  // everything
  // Throws Error(usage) if a pattern matches no point, or points of several axes; `what` says whose patterns they are.
  Selection(const std::vector<Axis>& axes, const std::vector<std::string>& only, const std::string& what);
  bool has(const Points& points) const;

 private:
  std::map<size_t, std::string> patterns_;  // by axis, alternatives between '|'
};

}  // namespace lp

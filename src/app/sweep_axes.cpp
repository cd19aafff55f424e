// The axes of a sweep, read and checked against one another.
#include "lptrain/app/sweep_axes.h"

#include <algorithm>
#include <set>

#include "lptrain/app/problems.h"
#include "lptrain/app/table_columns.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

// ---- Axes

Axis axis_of(const std::string& name, const Document& written, Problems& problems) {
  Axis axis{name, {}};
  const std::string place = written.origin("");
  if (!written.is_list() && !written.is_object())
    problems.add(place, fmt::format("vary.{}: wanted a list of values, or names with their assignments", name));
  for (size_t i = 0; written.is_list() && i < written.size(); ++i) {
    const Document value = written.at(std::to_string(i));
    axis.points.push_back({value.text_at(""), {{name, value}}});
  }
  for (const auto& [point, set] : written.members()) {
    if (!set.is_object()) problems.add(set.origin(""), fmt::format("vary.{}.{}: wanted an object, path -> value", name, point));
    axis.points.push_back({point, set.members()});
  }
  if (axis.points.empty()) problems.add(place, fmt::format("vary.{}: has no points: each axis wants at least one", name));
  std::set<std::string_view> seen;
  for (const Point& p : axis.points)
    if (!seen.insert(p.name).second) problems.add(place, fmt::format("vary.{}: \"{}\" is there twice", name, p.name));
  return axis;
}

bool is_below(std::string_view path, std::string_view above) {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '.');
}

// A later axis may refine what an earlier one sets, but not replace it.
void check_pair(const Axis& first, const Axis& second, Problems& problems) {
  for (const Point& a : first.points)
    for (const Point& b : second.points)
      for (const auto& [path, value] : a.set)
        for (const auto& [other, wins] : b.set)
          if (is_below(path, other))
            problems.add(wins.origin(""),
                         fmt::format("vary.{} sets {}, and so overwrites {} of vary.{}: let one axis set it, with named points "
                                     "for the pairs",
                                     second.name, other, path, first.name));
}

// Within a point nothing is written twice: which of the two would count depends on their order. (What comes from a config that
// the point extends may be refined; it all has the point's own place.)
void check_point(const Axis& axis, const Point& point, Problems& problems) {
  for (size_t i = 0; i < point.set.size(); ++i)
    for (size_t k = i + 1; k < point.set.size(); ++k) {
      const auto& [path, value] = point.set[i];
      const auto& [other, wins] = point.set[k];
      const bool is_said_twice = is_below(path, other) || (is_below(other, path) && value.has(other.substr(path.size() + 1)));
      if (is_said_twice && value.origin("") != wins.origin(""))
        problems.add(wins.origin(""),
                     fmt::format("vary.{}.{} sets {}, which its {} sets too: say it once", axis.name, point.name, other, path));
    }
}

void check_seed(const Assignments& set, Problems& problems) {
  for (const auto& [path, value] : set)
    if (path == "train.seed") problems.add(value.origin(""), "train.seed: the seeds of a sweep stand in its \"seeds\"");
}

// ---- Names of axes and points

const Axis* find_axis(const std::vector<Axis>& axes, const std::string& name) {
  const auto found = std::ranges::find(axes, name, &Axis::name);
  return found == axes.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const auto& list) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(one.name);
  return names;
}

void check_axis(const std::vector<Axis>& axes, const std::string& name, const std::string& what) {
  require(find_axis(axes, name), "{}: there is no axis \"{}\"{}", what, name, suggestion(name, names_of(axes)));
}

void check_where(const std::vector<Axis>& axes, const Dictionary<std::string>& where, const std::string& what) {
  for (const auto& [name, patterns] : where) {
    check_axis(axes, name, what);
    const Axis& axis = *find_axis(axes, name);
    for (const std::string& pattern : split(patterns, '|'))
      require(std::ranges::any_of(axis.points, [&](const Point& p) { return glob_match(pattern, p.name); }),
              "{}: axis \"{}\" has no point \"{}\"{}", what, name, pattern, suggestion(pattern, names_of(axis.points)));
  }
}

// The usual one need not be there, if nothing is published of differences to it.
void check_baseline(const SweepSpec& spec, const std::vector<Axis>& axes) {
  std::vector<std::string> known;
  for (const Axis& axis : axes)
    for (const Point& p : axis.points) known.push_back(p.name);
  const bool is_wanted = spec.baseline != SweepSpec{}.baseline || std::ranges::any_of(spec.published, [](const Published& p) {
                           return find_column(p.metric).shown == Shown::difference;
                         });
  require(!is_wanted || std::ranges::find(known, spec.baseline) != known.end(), "baseline: no axis has a point \"{}\"{}",
          spec.baseline, suggestion(spec.baseline, known));
}

void check_published(const SweepSpec& spec, const std::vector<Axis>& axes, Problems& problems) {
  bool are_known = true;
  for (size_t i = 0; i < spec.published.size(); ++i) {
    const std::string what = fmt::format("published.{}", i);
    problems.attempt(spec.name, [&] { check_where(axes, spec.published[i].where, what + ".where"); });
    are_known &= problems.attempt(spec.name + ": " + what + ".metric", [&] { find_column(spec.published[i].metric); });
  }
  if (are_known) problems.attempt(spec.name, [&] { check_baseline(spec, axes); });
}

void check_names(const SweepSpec& spec, const std::vector<Axis>& axes, Problems& problems) {
  for (size_t i = 0; i < spec.cells.size(); ++i)
    problems.attempt(spec.name, [&] { check_where(axes, spec.cells[i].where, fmt::format("cells.{}.where", i)); });
  check_published(spec, axes, problems);
  for (const auto* list : {&spec.rows, &spec.columns})
    for (const std::string& name : *list)
      problems.attempt(spec.name, [&] { check_axis(axes, name, list == &spec.rows ? "rows" : "columns"); });
}

// ---- Size and selection

void check_size(const SweepSpec& spec, const std::vector<Axis>& axes) {
  double jobs = static_cast<double>(spec.seeds.size());
  std::string product = fmt::format("{} seeds", spec.seeds.size());
  for (const Axis& axis : axes) {
    jobs *= static_cast<double>(axis.points.size());
    product = fmt::format("{} {} x {}", axis.points.size(), axis.name, product);
  }
  require(jobs <= static_cast<double>(kMostJobs),
          "{}: the grid has {} jobs ({}); at most {} are taken: make it smaller, or several sweeps of it", spec.name, jobs,
          product, kMostJobs);
}

// The axis whose points a pattern names, and the pattern without the name of the axis.
std::pair<size_t, std::string> axis_and_pattern(const std::vector<Axis>& axes, const std::string& pattern,
                                                const std::string& what) {
  std::vector<std::string> hits, known;
  std::pair<size_t, std::string> found;
  for (size_t i = 0; i < axes.size(); ++i) {
    const std::string prefix = axes[i].name + "=";
    const std::string points = pattern.starts_with(prefix) ? pattern.substr(prefix.size()) : pattern;
    for (const Point& p : axes[i].points) known.push_back(p.name);
    if (std::ranges::none_of(axes[i].points, [&](const Point& p) { return matches(points, p.name); })) continue;
    hits.push_back(axes[i].name);
    found = {i, points};
  }
  require(!hits.empty(), "{} {}: no point of an axis is called so{}", what, pattern, suggestion(pattern, known));
  require(hits.size() == 1, "{} {}: the axes {} have such points; say which: {}={}", what, pattern, join(hits), hits[0], pattern);
  return found;
}

}  // namespace

std::vector<Axis> axes_of(const SweepSpec& spec) {
  Problems problems;
  std::vector<Axis> axes;
  for (const auto& [name, written] : spec.vary) axes.push_back(axis_of(name, written, problems));
  check_size(spec, axes);  // what follows takes the time of its square
  for (size_t i = 0; i < axes.size(); ++i)
    for (size_t k = i + 1; k < axes.size(); ++k) check_pair(axes[i], axes[k], problems);
  check_seed(spec.set, problems);
  for (const Axis& axis : axes)
    for (const Point& point : axis.points) {
      check_point(axis, point, problems);
      check_seed(point.set, problems);
    }
  for (const CellRule& rule : spec.cells) check_seed(rule.set, problems);
  check_names(spec, axes, problems);
  problems.raise();
  return axes;
}

std::vector<Points> grid(const std::vector<Axis>& axes) {
  std::vector<Points> all{{}};
  for (const Axis& axis : axes) {
    std::vector<Points> longer;
    for (const Points& points : all)
      for (const Point& p : axis.points) {
        longer.push_back(points);
        longer.back().push_back(p.name);
      }
    all = std::move(longer);
  }
  return all;
}

const Point& point_of(const Axis& axis, const std::string& name) { return *std::ranges::find(axis.points, name, &Point::name); }

bool holds(const Dictionary<std::string>& where, const std::vector<Axis>& axes, const Points& points) {
  return std::ranges::all_of(where, [&](const auto& condition) {
    return matches(condition.second, points[static_cast<size_t>(find_axis(axes, condition.first) - axes.data())]);
  });
}

Selection::Selection(const std::vector<Axis>& axes, const std::vector<std::string>& only, const std::string& what) {
  for (const std::string& pattern : only) {
    const auto [axis, points] = axis_and_pattern(axes, pattern, what);
    std::string& all = patterns_[axis];
    all += (all.empty() ? "" : "|") + points;
  }
}

bool Selection::has(const Points& points) const {
  return std::ranges::all_of(patterns_, [&](const auto& p) { return matches(p.second, points[p.first]); });
}

}  // namespace lp

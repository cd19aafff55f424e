// Steps from one stored element to the next, and places within small groups.
#include "sparse_index.h"

#include <algorithm>
#include <bit>

namespace lp {
namespace {

constexpr SparseIndex kIndices[] = {{.gap_bits = 1},      {.gap_bits = 2},      {.gap_bits = 3},      {.gap_bits = 4},
                                    {.gap_bits = 5},      {.gap_bits = 6},      {.gap_bits = 7},      {.gap_bits = 8},
                                    {.keep = 1, .of = 2}, {.keep = 1, .of = 4}, {.keep = 2, .of = 4}, {.keep = 4, .of = 8}};

constexpr int64_t kMostGapBits = 8, kMostOf = 16;

std::vector<uint32_t> steps_between(std::span<const int64_t> places, int64_t count, int64_t bits) {
  const int64_t most = (int64_t{1} << bits) - 1;
  std::vector<uint32_t> steps;
  int64_t at = 0;
  const auto pass_until = [&](int64_t place) {
    for (; place - at >= most; at += most) steps.push_back(static_cast<uint32_t>(most));
  };
  for (const int64_t place : places) {
    pass_until(place);
    steps.push_back(static_cast<uint32_t>(place - at));
    at = place + 1;
  }
  pass_until(count);
  return steps;
}

}  // namespace

std::span<const SparseIndex> sparse_indices() { return kIndices; }

void SparseIndex::fields(Fields& f) {
  f("gap_bits", gap_bits, "of a step to the next stored element", {0, kMostGapBits});
  f("keep", keep, "stored elements of a group", {0, kMostOf});
  f("of", of, "elements of a group", {0, kMostOf});
  f.claim(gap_bits == 0 || of == 0, "an index has steps or groups");
  f.claim(of == 0 ? keep == 0 : keep >= 1 && keep < of, "a group keeps at least one, and not all");
}

int SparseIndex::bits() const {
  return gap_bits > 0 ? static_cast<int>(gap_bits) : std::max(1, static_cast<int>(std::bit_width(static_cast<uint64_t>(of - 1))));
}

bool SparseIndex::fits(std::span<const int64_t> places, int64_t count) const {
  if (of == 0) return true;
  if (count % of != 0) return false;
  for (size_t i = 0; i + static_cast<size_t>(keep) < places.size(); ++i)
    if (places[i] / of == places[i + static_cast<size_t>(keep)] / of) return false;
  return true;
}

std::vector<uint32_t> SparseIndex::steps_for(std::vector<int64_t>& places, int64_t count) const {
  if (of == 0) return steps_between(places, count, gap_bits);
  std::vector<int64_t> all;
  std::vector<uint32_t> steps;
  auto next = places.begin();
  for (int64_t group = 0; group < count; group += of) {
    std::vector<int64_t> own;
    while (next != places.end() && *next < group + of) own.push_back(*next++);
    for (int64_t free = group; std::ssize(own) < keep; ++free)
      if (std::ranges::find(own, free) == own.end()) own.push_back(free);
    std::ranges::sort(own);
    for (const int64_t place : own) all.push_back(place), steps.push_back(static_cast<uint32_t>(place - group));
  }
  places = std::move(all);
  return steps;
}

std::vector<int64_t> SparseIndex::places_in(std::span<const uint32_t> steps, int64_t count, std::string_view where) const {
  const auto demand = [&](bool holds, const char* what) {
    if (!holds) fail(ErrorKind::data, "{}: its index is damaged: {}", where, what);
  };
  std::vector<int64_t> places;
  if (of > 0) {
    demand(count % of == 0 && std::ssize(steps) == count / of * keep, "it does not have a place for every kept element");
    for (size_t i = 0; i < steps.size(); ++i) {
      const int64_t in_group = static_cast<int64_t>(i) % keep, place = static_cast<int64_t>(i) / keep * of + steps[i];
      demand(steps[i] < of && (in_group == 0 || place > places.back()), "places of a group are not in order");
      places.push_back(place);
    }
    return places;
  }
  const int64_t most = (int64_t{1} << gap_bits) - 1;
  int64_t at = 0;
  for (const uint32_t step : steps) {
    at += step;
    if (step != most) places.push_back(at++);
    demand(at <= count, "it leads behind the end");
  }
  demand(count - at < most, "it ends too early");
  return places;
}

}  // namespace lp

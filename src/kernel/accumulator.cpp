// What an accumulator says of itself.
#include "lptrain/kernel/accumulator.h"

#include <atomic>
#include <limits>
#include <vector>

namespace lp {
namespace {

bool can_add(const Format& f) { return f.is_signed && (f.is_float() || f.family == Format::Family::Fixed); }

// The largest magnitude of codes of a type; nothing bounds those of other types.
double largest_code(DType t) {
  switch (t) {
    case DType::i8: return 128;
    case DType::u8: return 255;
    case DType::i16: return 32768;
    default: return std::numeric_limits<double>::infinity();
  }
}

}  // namespace

constexpr int64_t SumCounts::*kCounts[] = {&SumCounts::sums, &SumCounts::additions, &SumCounts::rounded,
                                           &SumCounts::lost, &SumCounts::saturated, &SumCounts::overflows};

void SumCounts::fields(Fields& f) {
  const Range counts{0, 1e18};
  f("sums", sums, "results", counts);
  f("additions", additions, "of products to them, and of chunks to each other", counts);
  f("rounded", rounded, "of the additions, those whose sum the format does not have", counts);
  f("lost", lost, "left the sum what it was, though what was added is not 0", counts);
  f("saturated", saturated, "ran beyond the format, and were held at its end", counts);
  f("overflows", overflows, "ran beyond the format, and became infinite or wrapped around", counts);
}

SumCounts& SumCounts::operator+=(const SumCounts& o) {
  for (const auto count : kCounts) this->*count += o.*count;
  return *this;
}

void SumCounts::add_from_thread(const SumCounts& o) {
  for (const auto count : kCounts) std::atomic_ref(this->*count).fetch_add(o.*count, std::memory_order_relaxed);
}

void Accumulator::fields(Fields& f) {
  f("format", format, "number format of the running sum; int<N> counts products of codes, the others products of reals");
  f("rounding", rounding, "of every addition");
  f("overflow", overflow, "beyond the format; by default infinity for f16 and bf16, saturate for the others");
  f("chunk", chunk, "products that are summed in the format, before their sum goes to the outer one; 0: all", {0, 1e9});
  f("outer", outer, "number format that the sums of chunks are summed in; by default the same");
  const Format last = outer.value_or(format);
  for (const Format& each : last == format ? std::vector{format} : std::vector{format, last}) {
    f.claim(can_add(each), fmt::format("an accumulator adds: it needs a signed integer, fixed-point or float format, say int16, "
                                       "q7.8 or f16, found {}",
                                       each.name()));
    f.claim(has_overflow(each, overflow_of(each)),
            fmt::format("{} knows no overflow to \"{}\": wrap is for int and q, infinity for floats that have infinity or NaN",
                        each.name(), word_of(overflow_of(each))));
  }
  f.claim(!outer || chunk > 0, "\"outer\" holds the sums of chunks: say how long they are with \"chunk\"");
  f.claim(chunk == 0 || !is_native(), "\"chunk\" needs a narrow \"format\": f32 sums are held as the fastest row holds them");
  f.claim(rounding != Rounding::pseudo_stochastic,
          "\"pseudo_stochastic\" wants to know the unit of what it rounds, and sums of products have none: try stochastic");
  f.claim(format.counts() == last.counts(),
          fmt::format("{} and {} do not add: one counts products of codes, the other of reals", format.name(), last.name()));
  f.claim(last.max() >= format.max() && last.epsilon() <= format.epsilon(),
          fmt::format("\"outer\" {} is narrower than the chunks' {}, whose sums it takes", last.name(), format.name()));
}

Overflow Accumulator::overflow_of(const Format& f) const {
  return overflow.value_or(f == kF16 || f == kBf16 ? Overflow::infinity : Overflow::saturate);
}

Accumulator Accumulator::of_pass(size_t pass) const {
  Accumulator other = *this;
  other.noise = noise.with(uint64_t{pass});
  if (counts) other.counts = counts + pass;
  return other;
}

bool Accumulator::holds_all(DType a, DType b, int64_t terms) const {
  return counts_codes() && largest_code(a) * largest_code(b) * static_cast<double>(terms) <= format.max();
}

std::string Accumulator::name() const {
  if (is_native()) return "as the row holds them";
  std::string text = format.name();
  if (rounding != Rounding::nearest_even && !counts_codes()) text += fmt::format(" {}", word_of(rounding));
  if (overflow) text += fmt::format(", overflow {}", word_of(*overflow));
  if (chunk > 0) text += fmt::format(", chunks of {} summed in {}", chunk, outer.value_or(format).name());
  return text;
}

}  // namespace lp

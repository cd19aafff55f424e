// Reading the arguments of a call.
#include "lptrain/app/command.h"

#include <charconv>
#include <stdexcept>

#include "lptrain/base/error.h"

namespace lp {
namespace {

template <class T>
std::optional<T> read_number(const Arguments& arguments, std::string_view option, T low, T high, const char* kind) {
  if (!arguments.has(option)) return {};
  const std::string& text = arguments.text(option);
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  require(is_number && number >= low && number <= high, "--{}: wanted {} {}..{}, found \"{}\"", option, kind, low, high, text);
  return number;
}

}  // namespace

const std::vector<std::string>& Arguments::list(std::string_view option) const {
  const auto found = values_.find(option);
  if (found == values_.end()) throw std::logic_error(fmt::format("the command has no option {}", option));
  return found->second;
}

const std::string& Arguments::text(std::string_view option) const {
  static const std::string kNone;
  const auto& values = list(option);
  return values.empty() ? kNone : values.back();
}

std::optional<int64_t> Arguments::integer(std::string_view option, int64_t low, int64_t high) const {
  return read_number<int64_t>(*this, option, low, high, "an integer");
}

std::optional<double> Arguments::number(std::string_view option, double low, double high) const {
  return read_number<double>(*this, option, low, high, "a number");
}

}  // namespace lp

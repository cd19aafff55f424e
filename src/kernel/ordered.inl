// What comparing loops share, for one instruction set (see loops.h).
namespace {

// Floats as integers in the same order, -0 below +0, NaNs outermost: then the compiler may take minima in any order.
template <class T>
typename Integer<sizeof(T)>::type ordered(T x) {
  using I = typename Integer<sizeof(T)>::type;
  const I bits = __builtin_bit_cast(I, x);
  constexpr I kMagnitude = static_cast<I>(~0ull >> (65 - 8 * sizeof(T)));
  return bits ^ ((bits >> (8 * sizeof(T) - 1)) & kMagnitude);
}
template <class T>
T unordered(typename Integer<sizeof(T)>::type i) {
  return __builtin_bit_cast(T, ordered(__builtin_bit_cast(T, i)));  // its own inverse
}

}  // namespace

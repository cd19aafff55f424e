// Errors carry their exit code and a formatted message.
#include "lptrain/base/error.h"

#include <doctest/doctest.h>

TEST_CASE("fail and require throw the kind and message they are told") {
  try {
    lp::fail(lp::ErrorKind::data, "{} of {} bytes", 3, 7);
    FAIL("did not throw");
  } catch (const lp::Error& error) {
    CHECK(error.kind == lp::ErrorKind::data);
    CHECK(std::string(error.what()) == "3 of 7 bytes");
  }
  CHECK_NOTHROW(lp::require(true, "fine"));
  CHECK_THROWS_WITH_AS(lp::require(false, "n must be positive, found {}", -1), "n must be positive, found -1", lp::Error);
  CHECK(static_cast<int>(lp::ErrorKind::failure) == 1);
  CHECK(static_cast<int>(lp::ErrorKind::diverged) == 4);
}

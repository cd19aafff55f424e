// Tables of text.
#include "lptrain/app/console.h"

#include <doctest/doctest.h>

using namespace lp;

TEST_CASE("numbers stand right, words left, and nothing trails") {
  CHECK(table_text({{"name", "n", "remark"}, {"a", "5", "short"}, {"longer", "123", ""}}) ==
        "name      n  remark\n"
        "a         5  short\n"
        "longer  123");
  CHECK(table_text({}) == "");
  CHECK(table_text({{"ü", "x"}, {"ab", "y"}}) == "ü   x\nab  y");
}

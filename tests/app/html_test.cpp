// Pages: nothing from outside breaks out, and nothing is fetched.
#include "lptrain/app/html.h"
#include "support/text.h"

#include <doctest/doctest.h>

using namespace lp;
using namespace lp::test;

namespace {

const std::string kEvil = "<script>alert('x')</script>&\"";
}  // namespace

TEST_CASE("texts are escaped wherever they stand") {
  for (const std::string& s : {html::page(kEvil, ""), html::header(kEvil, kEvil, kEvil, kEvil), html::section(kEvil, kEvil, "x"),
                               html::figure("", kEvil), html::folded(kEvil, ""), html::tiles({{kEvil, kEvil, kEvil}}),
                               html::table({{kEvil}, {kEvil}}), html::facts({{kEvil, kEvil}}), html::code(kEvil)}) {
    CHECK_FALSE(has(s, "<script"));
    CHECK(has(s, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
  }
}

TEST_CASE("a page needs nothing else") {
  const std::string page = html::page("t", html::tiles({{"1", "a", ""}}) + html::table({{"a"}, {"1"}}));
  CHECK(page.starts_with("<!doctype html>"));
  for (const char* part : {"http:", "https:", "src=", "@import", "url(", "<script", "<link rel=\"stylesheet\""})
    CHECK_FALSE(has(page, part));
  for (const char* part : {"viewport", "prefers-color-scheme:dark", "@media print", "charset=\"utf-8\""}) CHECK(has(page, part));
}

TEST_CASE("columns of numbers stand to the right; sections and facts without content vanish") {
  const std::string table = html::table({{"name", "count", "change"}, {"a", "12", "-0.2 [-1, 1]"}, {"b", "-", "+3"}});
  CHECK(has(table, "<th>name</th><th class=\"right\">count</th><th class=\"right\">change</th>"));
  CHECK(has(table, "<td class=\"right\">12</td>"));
  CHECK_FALSE(has(table, "dense"));
  CHECK(has(html::table({std::vector<std::string>(12, "h")}), "<table class=\"dense\">"));
  CHECK(html::section("h", "n", "") == "");
  CHECK_FALSE(has(html::facts({{"a", ""}, {"b", "1"}}), "<dt>a"));
}

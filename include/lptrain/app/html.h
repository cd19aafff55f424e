// Pages that stand alone: one file, no script, nothing fetched; for phones, screens in light and dark, and paper.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lptrain/app/console.h"

// Texts are escaped, parameters named `html` are put in as they are.
namespace lp::html {

std::string page(std::string_view title, std::string_view html);
// kicker: what kind of page, small above the title; verdict: what came out, in a sentence.
std::string header(std::string_view kicker, std::string_view title, std::string_view verdict, std::string_view remark);
std::string section(std::string_view heading, std::string_view note, std::string_view html);  // "" if html is ""
std::string columns(std::string_view html);  // figures side by side where there is room
std::string gallery(std::string_view html);  // many small ones
std::string figure(std::string_view html, std::string_view caption = "");
std::string folded(std::string_view summary, std::string_view html);  // opened by who wants to see it

struct Tile {
  std::string value, label, remark;
};
std::string tiles(const std::vector<Tile>& tiles);  // the figures that count
std::string table(const Cells& rows);               // the first row is the heading; numbers to the right
std::string facts(const std::vector<std::pair<std::string, std::string>>& facts);  // name and value; without empty values
std::string code(std::string_view text);

}  // namespace lp::html

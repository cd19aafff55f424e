// Several runs as a page to read: accuracy against bits, what is worth its bytes and operations, and the table.
#pragma once
#include <filesystem>
#include <string>

namespace lp {

// Is it the folder of a sweep, or one that holds run folders?
bool holds_runs(const std::filesystem::path& folder);

// An HTML file that needs nothing else, but for links to the runs' own reports. Throws Error(data) if no run is finished or one
// is damaged, Error(usage) if there are none.
std::string sweep_page(const std::filesystem::path& folder);

// Its plot of accuracy against bits as an SVG file. Throws as sweep_page does.
std::string sweep_picture(const std::filesystem::path& folder);

}  // namespace lp

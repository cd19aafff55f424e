// The parts of a page.
#include "lptrain/app/html.h"

#include <fmt/format.h>

#include "lptrain/base/plot.h"

namespace lp::html {
namespace {

constexpr std::string_view kStyle = R"(
*{box-sizing:border-box}dl{margin:0}
html{-webkit-text-size-adjust:100%;color-scheme:light dark}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:40px 28px 64px}
header{margin-bottom:28px}
.kicker{margin:0;color:var(--soft);font-size:13px;font-weight:600;letter-spacing:.09em;text-transform:uppercase}
h1{margin:2px 0 14px;font-size:40px;line-height:1.15;letter-spacing:-.02em;overflow-wrap:anywhere}
.verdict{margin:0;max-width:46em;font-size:21px;line-height:1.45;text-wrap:pretty}
.remark{margin:10px 0 0;color:var(--soft);font-size:15px;overflow-wrap:anywhere}
section{margin-top:44px;border-top:1px solid var(--line);padding-top:22px}
h2{margin:0;font-size:23px;line-height:1.25;letter-spacing:-.01em}
.note{margin:4px 0 0;max-width:52em;color:var(--soft);font-size:15px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;
border:1px solid var(--line);border-radius:10px;overflow:hidden}
.tiles>div{box-shadow:0 0 0 1px var(--line);padding:14px 16px 12px}
.tiles dt{color:var(--soft);font-size:13px;font-weight:600}
.tiles dd{margin:0}.tiles .value{font-size:27px;font-weight:650;line-height:1.3;letter-spacing:-.015em;white-space:nowrap}
.tiles .more{color:var(--soft);font-size:13px;line-height:1.35}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:24px 32px;align-items:start}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,226px),1fr));gap:18px 20px}
.gallery.small{grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:16px 14px}
a{color:var(--s0)}ul.note{padding-left:20px}.scroll+ul.note{margin-top:12px}
figure{margin:0;break-inside:avoid}
figcaption{color:var(--soft);font-size:13px;line-height:1.4;overflow-wrap:anywhere}
figcaption b{color:var(--ink);font-weight:600}
svg.plot{display:block;width:100%;height:auto;max-width:720px}
.picture{display:block;width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;background:#000;
border-radius:6px;
margin-bottom:5px}
.scroll{overflow-x:auto;max-width:100%;background:linear-gradient(to right,var(--paper) 40%,transparent) 0/48px 100% local,
linear-gradient(to left,var(--paper) 40%,transparent) 100%/48px 100% local,
linear-gradient(to right,color-mix(in srgb,var(--ink) 22%,transparent),transparent) 0/14px 100% scroll,
linear-gradient(to left,color-mix(in srgb,var(--ink) 22%,transparent),transparent) 100%/14px 100% scroll;
background-repeat:no-repeat}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;line-height:1.35}
th{color:var(--soft);font-weight:600;text-align:left;vertical-align:bottom}
th,td{padding:6px 16px 6px 0;border-bottom:1px solid var(--line)}td{white-space:nowrap}
.dense{font-size:12.5px}.dense th,.dense td{padding-right:9px}
th:last-child,td:last-child{padding-right:4px}
.right{text-align:right}
.facts{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:5px 20px;font-size:15px}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
pre{margin:0;padding:12px 16px;background:color-mix(in srgb,var(--ink) 6%,var(--paper));border-radius:8px;
font:13.5px/1.5 ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere}
details{margin-top:16px}summary{cursor:pointer;color:var(--s0);font-size:15px}details>*+*{margin-top:12px}
.remarks{margin:0 0 18px;padding-left:20px;max-width:52em}.remarks li{margin-bottom:4px}
.columns+.scroll,.scroll+.scroll{margin-top:22px}
section>h2+*,section>.note+*,section>pre+*{margin-top:18px}
section>h2+.note{margin-top:4px}
footer{margin-top:52px;color:var(--soft);font-size:13px}
@media(max-width:560px){main{padding:24px 16px 40px}h1{font-size:31px}.verdict{font-size:18px}section{margin-top:34px}
.tiles{grid-template-columns:1fr 1fr}.tiles .value{font-size:22px}.plot.wide{font-size:15px}
.gallery{grid-template-columns:1fr 1fr;gap:14px 12px}.facts{grid-template-columns:1fr;gap:0}
.facts dd{margin-bottom:8px}}
@media(min-width:900px){td{white-space:normal}}
@media print{body{font-size:11pt}main{max-width:none;padding:0}section{break-inside:auto;margin-top:26px}
details>summary{display:none}h2,.note{break-after:avoid}tr{break-inside:avoid}
table,.dense{font-size:7.5pt}
th,td,.dense th,.dense td{padding-right:7px;white-space:normal}.columns{grid-template-columns:1fr 1fr}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}.scroll{overflow:visible;background:none}}
)";

std::string paragraph(std::string_view style, std::string_view text) {
  return text.empty() ? "" : fmt::format("<p class=\"{}\">{}</p>\n", style, escaped(text));
}

}  // namespace

std::string page(std::string_view title, std::string_view html) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escaped(title), plot_style(), kStyle, html);
}

std::string header(std::string_view kicker, std::string_view title, std::string_view verdict, std::string_view remark) {
  return "<header>\n" + paragraph("kicker", kicker) + fmt::format("<h1>{}</h1>\n", escaped(title)) +
         paragraph("verdict", verdict) + paragraph("remark", remark) + "</header>\n";
}

std::string section(std::string_view heading, std::string_view note, std::string_view html) {
  if (html.empty()) return "";
  return fmt::format("<section>\n<h2>{}</h2>\n{}{}</section>\n", escaped(heading), paragraph("note", note), html);
}

std::string columns(std::string_view html) { return fmt::format("<div class=\"columns\">\n{}</div>\n", html); }
std::string gallery(std::string_view html) { return fmt::format("<div class=\"gallery\">\n{}</div>\n", html); }

std::string figure(std::string_view html, std::string_view caption) {
  const std::string text = caption.empty() ? "" : fmt::format("<figcaption>{}</figcaption>", escaped(caption));
  return fmt::format("<figure>{}{}</figure>\n", html, text);
}

std::string folded(std::string_view summary, std::string_view html) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escaped(summary), html);
}

std::string tiles(const std::vector<Tile>& tiles) {
  std::string s = "<dl class=\"tiles\">\n";
  for (const Tile& t : tiles)
    s += fmt::format("<div><dt>{}</dt><dd class=\"value\">{}</dd><dd class=\"more\">{}</dd></div>\n", escaped(t.label),
                     escaped(t.value), escaped(t.remark));
  return s + "</dl>\n";
}

std::string table(const Cells& rows) {
  const std::vector<bool> numbers = numeric_columns(rows);
  constexpr size_t kMany = 9;
  const bool is_dense = numbers.size() > kMany;
  std::string s = fmt::format("<div class=\"scroll\"><table{}>\n", is_dense ? " class=\"dense\"" : "");
  for (size_t r = 0; r < rows.size(); ++r) {
    const char* cell = r == 0 ? "th" : "td";
    s += "<tr>";
    for (size_t c = 0; c < rows[r].size(); ++c)
      s += fmt::format("<{}{}>{}</{}>", cell, numbers[c] ? " class=\"right\"" : "", escaped(rows[r][c]), cell);
    s += "</tr>\n";
  }
  return s + "</table></div>\n";
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string s = "<dl class=\"facts\">\n";
  for (const auto& [name, value] : facts)
    if (!value.empty()) s += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  return s + "</dl>\n";
}

std::string code(std::string_view text) { return fmt::format("<pre>{}</pre>\n", escaped(text)); }

}  // namespace lp::html

// lptrain inspect-format: codes, neighbours, comparisons and errors of number formats.
#include <doctest/doctest.h>

#include <cmath>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "lptrain/number/rounding.h"

using namespace lp;
using namespace lp::test;

namespace {

Document inspected(Line words) {
  words.insert(words.begin(), "inspect-format");
  words.push_back("--json");
  const Outcome o = run(words);
  REQUIRE_MESSAGE(o.code == 0, o.err);
  return Document::parse(last_line(o.out), "out");
}
double number(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

}  // namespace

TEST_CASE("values: every code with its bits, in order, special values last") {
  const Document d = inspected({"e2m1", "--values"});
  CHECK(d.size("values") == 15);
  CHECK(d.text_at("values.0.value") == "-6");
  CHECK(d.text_at("values.0.bits") == "1111");
  CHECK(d.text_at("values.14.bits") == "0111");
  const Document e5m2 = inspected({"e5m2", "--values"});
  CHECK(e5m2.text_at("values.247.value") == "-inf");
  CHECK(e5m2.text_at("values.249.value") == "NaN");
  CHECK(run({"inspect-format", "f32", "--values"}).says("too many to list"));
}

TEST_CASE("encode: code, error and both neighbours; any rounding") {
  const Document d = inspected({"e4m3", "--encode", "0.3", "--encode", "1000", "--encode", "-0.0625"});
  CHECK(d.text_at("encoded.0.code.value") == "0.3125");
  CHECK(d.text_at("encoded.0.below") == "0.28125");
  CHECK(d.text_at("encoded.0.above") == "0.3125");
  CHECK(number(d, "encoded.0.error") == doctest::Approx(0.0125));
  CHECK(d.text_at("encoded.1.code.value") == "448");
  CHECK(d.text_at("encoded.1.above") == "none");
  CHECK(number(d, "encoded.2.error") == 0);
  CHECK(inspected({"e4m3", "--encode", "0.3", "--round", "floor"}).text_at("encoded.0.code.value") == "0.28125");
  CHECK(inspected({"f16", "--encode", "70000"}).text_at("encoded.0.code.value") == "inf");
  CHECK(inspected({"f16", "--encode", "70000", "-s", "overflow=saturate"}).text_at("encoded.0.code.value") == "65504");
}

TEST_CASE("decode: a code or a pattern") {
  const Document d = inspected({"e4m3", "--decode", "0x38", "--decode", "0b10111000", "--decode", "56", "--decode", "0x7f"});
  CHECK(d.text_at("decoded.0.value") == "1");
  CHECK(d.text_at("decoded.1.value") == "-1");
  CHECK(d.text_at("decoded.2.value") == "1");
  CHECK(d.text_at("decoded.3.value") == "NaN");
  CHECK(inspected({"posit8_2", "--decode", "0x80"}).text_at("decoded.0.value") == "NaN");
  for (const char* wrong : {"300", "0x1ff", "zero", "0b12", "-9223372036854775808", "99999999999999999999"})
    CHECK_MESSAGE(run({"inspect-format", "e4m3", "--decode", wrong}).code == 2, wrong);
}

TEST_CASE("compare: reals by powers of two") {
  const Document d = inspected({"e4m3", "--compare", "e5m2"});
  CHECK(d.text_at("binades.0.exponent") == "15");
  CHECK(d.text_at("binades.0.first") == "0");
  CHECK(d.text_at("binades.0.second") == "4");  // 2^15 (1, 1.25, 1.5, 1.75)
  CHECK(d.text_at("binades.7.first") == "7");   // 256 to 448: the eighth is NaN
  CHECK(d.text_at("binades.8.first") == "8");
  CHECK(inspected({"int8", "--compare", "q3.4"}).text_at("binades.0.first") == "64");
}

TEST_CASE("presets show their blocks: length, format of the scales, bits a value in all") {
  const Document mx = inspected({"mxfp4"});
  CHECK(mx.text_at("format.name") == "e2m1");
  CHECK(mx.text_at("blocks.0.length") == "32");
  CHECK(mx.text_at("blocks.0.scale_format") == "e8m0");
  CHECK(number(mx, "blocks.0.bits_a_value") == 4.25);
  CHECK(run({"inspect-format", "nvfp4"}).says("nvfp4: blocks of 16 that share a scale in e4m3: 4.5 bits a value"));
  CHECK(number(inspected({"int4", "-s", "per=block:8"}), "blocks.0.bits_a_value") == 8);
  CHECK(inspected({"e4m3"}).size("blocks") == 0);
  const Document both = inspected({"e4m3", "--compare", "mxfp4"});
  CHECK(both.text_at("other.name") == "e2m1");
  CHECK(both.text_at("blocks.0.name") == "mxfp4");
}

TEST_CASE("stochastic rounding of a number is shown by many draws, whose mean is the number") {
  const Document d = inspected({"int4", "--encode", "2.3", "--encode", "5", "--round", "stochastic", "--samples", "20000"});
  const auto drawn = [&](const char* what) { return number(d, fmt::format("encoded.0.draws.{}", what)); };
  CHECK(drawn("samples") == 20000);
  CHECK(drawn("chance_up") == doctest::Approx(0.3).epsilon(0.05));
  CHECK(drawn("standard_error") == doctest::Approx(std::sqrt(0.3 * 0.7 / 20000)).epsilon(0.05));
  CHECK(std::abs(drawn("mean") - 2.3) < 5 * drawn("standard_error"));
  CHECK(number(d, "encoded.1.draws.mean") == 5);
  CHECK(number(d, "encoded.1.draws.chance_up") == 0);
}

TEST_CASE("options that would do nothing are refused, and every rounding is in the help") {
  CHECK(run({"inspect-format", "int8", "--encode", "1", "--samples", "100"}).says("give --error-of"));
  CHECK(run({"inspect-format", "int8", "--error-of", "w.npy", "--samples", "100"}).code == 2);
  for (const std::string_view word : Words<Rounding>::list) CHECK(run({"inspect-format", "--help"}).says(std::string(word)));
}

TEST_CASE("error-of: the uniform error of a fine grid, zeros, clipping, and no bias of stochastic rounding") {
  const Document fine = inspected({"int8", "--error-of", "uniform", "--samples", "20000"});
  const double scale = number(fine, "error.scale");
  CHECK(scale == doctest::Approx(1.0 / 127).epsilon(0.01));
  CHECK(number(fine, "error.root_mean_square") == doctest::Approx(scale / std::sqrt(12.0)).epsilon(0.03));
  CHECK(number(fine, "error.codes_used") == 255);
  const Document clipped = inspected({"int4", "--error-of", "gauss", "--samples", "20000", "-s", "scale.fixed.value=0.25"});
  CHECK(number(clipped, "error.beyond") == doctest::Approx(0.0630).epsilon(0.1));  // below -2 or above 1.75
  CHECK(number(clipped, "error.zeros") == doctest::Approx(0.0995).epsilon(0.1));   // within an eighth of 0
  const Document noisy =
      inspected({"int2", "--error-of", "uniform", "--samples", "50000", "--round", "stochastic", "-s", "narrow=true"});
  CHECK(std::abs(number(noisy, "error.mean_error")) < 4.5 * number(noisy, "error.standard_error"));
  CHECK(number(inspected({"mxfp8_e4m3", "--error-of", "gauss", "--samples", "5000"}), "error.sqnr_db") > 25);
}

TEST_CASE("error-of a .npy file, and files that are none") {
  const Folder folder;
  std::string bytes = "\x93NUMPY\x01";
  bytes += std::string("\0\x76\0", 3);
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  bytes += header + std::string(117 - header.size(), ' ') + "\n";
  const float numbers[] = {1, -2};
  bytes.append(reinterpret_cast<const char*>(numbers), 8);
  write_file(folder / "w.npy", bytes);
  write_file(folder / "bad.npy", "nothing");
  CHECK(number(inspected({"int8", "--error-of", folder / "w.npy", "-s", "narrow=true"}), "error.scale") ==
        doctest::Approx(2.0 / 127));
  CHECK(run({"inspect-format", "int8", "--error-of", folder / "bad.npy"}).code == 3);
  CHECK(run({"inspect-format", "int8", "--error-of", folder / "none.npy"}).code == 3);
  CHECK(run({"inspect-format", "int8", "--error-of", "cauchy"}).says("gauss"));
}

TEST_CASE("svg: a picture with the names of both formats") {
  const Folder folder;
  inspected({"e4m3", "--compare", "posit8_2", "--svg", folder / "f.svg"});
  const std::string svg = read_file(folder / "f.svg");
  CHECK(svg.starts_with("<svg"));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("posit8_2") != std::string::npos);
  CHECK(svg.find("NaN") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  for (const char* format : {"binary", "ternary", "f64", "uint1", "int1", "e8m0", "int32"})
    CHECK_MESSAGE(run({"inspect-format", format, "--svg", folder / "g.svg"}).code == 0, format);
}

TEST_CASE("impossible formats and words") {
  for (const char* format : {"int0", "e12m60", "q0.0", "posit8_9", "mxfp5", "\"", "{}"})
    CHECK_MESSAGE(run({"inspect-format", format}).code == 2, format);
  CHECK(run({"inspect-format", "int8", "--round", "nearest"}).says("nearest_even"));
  CHECK(run({"inspect-format", "int8", "--encode", "one"}).says("not a number"));
  CHECK(run({"inspect-format", "int8", "-s", "scael=mse"}).says("scale"));
}

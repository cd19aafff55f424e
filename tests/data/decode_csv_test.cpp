// Tables: which columns are numbers, one-hot words, labels, missing values.
#include "lptrain/data/decode_csv.h"

#include <cmath>

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

Decoded decode(const CsvLayout& layout, const std::string& train, const std::string& test = "") {
  Inputs inputs{{input("train.csv", train)}, {}};
  if (!test.empty()) inputs.test.push_back(input("test.csv", test));
  return decode_csv(layout, inputs);
}

std::vector<float> values(const Examples& e) { return {e.inputs.data<float>().begin(), e.inputs.data<float>().end()}; }

}  // namespace

TEST_CASE("numbers, words and classes") {
  const Decoded d = decode({}, "1.5,red,no\n-2e1,blue,yes\n+3,red,no\n", "4,green,yes\n0,blue,no\n");
  CHECK(d.columns == std::vector<std::string>{"0", "1=blue", "1=red"});
  CHECK(d.classes == std::vector<std::string>{"no", "yes"});
  CHECK(values(d.train) == std::vector<float>{1.5f, 0, 1, -20, 1, 0, 3, 0, 1});
  CHECK(d.train.labels == std::vector<int32_t>{0, 1, 0});
  CHECK(values(d.test) == std::vector<float>{4, 0, 0, 0, 1, 0});  // green is unknown: zeros
  CHECK(d.test.labels == std::vector<int32_t>{1, 0});
}

TEST_CASE("header, label by name, dropped and categorical columns, numeric classes ascend") {
  CsvLayout layout;
  layout.header = true;
  layout.label = "class";
  layout.drop = {"id"};
  layout.categorical = {"code"};
  const Decoded d = decode(layout, "id,class,code,x\n7,10,2,1\n8,9,30,2\n");
  CHECK(d.columns == std::vector<std::string>{"code=2", "code=30", "x"});
  CHECK(d.classes == std::vector<std::string>{"9", "10"});
  CHECK(d.train.labels == std::vector<int32_t>{1, 0});
  CHECK(values(d.train) == std::vector<float>{1, 0, 1, 0, 1, 2});
  layout.label = std::to_string(1);  // by number
  CHECK(decode(layout, "id,class,code,x\n7,10,2,1\n8,9,30,2\n").classes.size() == 2);
}

TEST_CASE("missing values: NaN for numbers, zeros for words; label suffixes") {
  CsvLayout layout;
  layout.label_suffix = "!!";
  const Decoded d = decode(layout, "?,a,<=5\n2,?,>5\n,b,>5\n", "1,a,>5!!\n");
  CHECK(std::isnan(d.train.inputs.data<float>()[0]));
  CHECK(std::isnan(d.train.inputs.data<float>()[6]));
  CHECK(d.train.inputs.data<float>()[4] == 0);
  CHECK(d.train.inputs.data<float>()[5] == 0);
  CHECK(d.test.labels == std::vector<int32_t>{1});
}

TEST_CASE("columns that are pixels") {
  CsvLayout layout;
  layout.image = {2, 2, 1};
  layout.white = 16;
  const Decoded d = decode(layout, "0,8,16,99,1\n16,0,0,?,0\n");
  CHECK(d.train.inputs.shape() == Shape{2, 2, 2, 1});
  const auto p = d.train.inputs.data<uint8_t>();
  CHECK(std::vector<uint8_t>(p.begin(), p.end()) == std::vector<uint8_t>{0, 128, 255, 255, 255, 0, 0, 0});
  layout.image = {3, 2, 1};
  CHECK(contains(error_of(ErrorKind::data, [&] { decode(layout, "0,8,16,99,1\n"); }), "needs 6 columns, found 4"));
}

TEST_CASE("errors name file and line") {
  const auto message = [](ErrorKind kind, const CsvLayout& layout, const std::string& train, const std::string& test = "") {
    return error_of(kind, [&] { decode(layout, train, test); });
  };
  CHECK(contains(message(ErrorKind::data, {}, "1,a\n2,b\n", "x,a\n"), "test.csv:1: column \"0\": \"x\" is not a finite number"));
  CHECK(contains(message(ErrorKind::data, {}, "1,a\n2,b\n", "3,a\n4,c\n"), "test.csv:2: class \"c\" does not occur"));
  CHECK(contains(message(ErrorKind::data, {}, "1,a\n2,b\n", "3,4,a\n"), "test.csv:1: 3 columns, wanted 2"));
  CHECK(contains(message(ErrorKind::data, {}, ""), "holds no rows"));
  CHECK(contains(message(ErrorKind::data, {}, "a\nb\n"), "no column is left"));
  CHECK(contains(message(ErrorKind::data, {}, "1,a\n2,b\n", "inf,a\n"), "\"inf\" is not a finite number"));
  for (const char* word : {"nan", "NaN", "inf", "-inf", "1e39", "1e400", "1,5", "0x10", "l2"}) {
    const std::string row = fmt::format("\"{}\",a\n", word);
    CHECK(contains(message(ErrorKind::data, {}, "1,a\n2,b\n" + row),
                   fmt::format("train.csv:3: column \"0\": \"{}\" is not", word)));
    CsvLayout unknown;
    unknown.missing = word;
    CHECK(std::isnan(decode(unknown, "1,a\n2,b\n" + row).train.inputs.data<float>()[2]));
  }
  CHECK(decode({}, "1,a\nx,b\ny,b\n").columns.size() == 3);  // most are words: names
  CHECK(contains(message(ErrorKind::data, {}, "1,a\n2,\n"), "train.csv:2: the label (column \"1\") is missing"));
  CsvLayout headed;
  headed.header = true;
  CHECK(contains(message(ErrorKind::data, headed, "x,y,x\n1,2,a\n"), "train.csv:1: two columns are called \"x\""));
  CsvLayout layout;
  layout.header = true;
  layout.label = "clas";
  CHECK(contains(message(ErrorKind::usage, layout, "x,class\n1,a\n"), "did you mean \"class\""));
  std::string ids;
  for (int i = 0; i < 1001; ++i) ids += "id" + std::to_string(i) + ",a\n";
  CHECK(contains(message(ErrorKind::data, {}, ids), "name it under \"drop\""));
  fuzz("1,red,no\n2,blue,yes\n?,red,no\n", 3000, [](const std::string& text) { decode({}, text, text); });
}

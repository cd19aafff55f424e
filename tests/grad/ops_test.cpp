// Every differentiable op: its gradient, its f32 arithmetic, its refusals; and that none was forgotten.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "op_cases.h"
#include "support/gradcheck.h"
#include "support/places.h"

namespace lp {
namespace {

std::vector<Tensor> inputs_of(const OpCase& op) {
  std::vector<Tensor> inputs;
  for (const Source& source : op.inputs) inputs.push_back(source(Key(11).with(op.name).with(inputs.size())));
  return inputs;
}

std::vector<Tensor> in_f32(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) out.push_back(convert(t, DType::f32));
  return out;
}

std::string message_of(const Refusal& refusal) {
  try {
    refusal.run();
  } catch (const Error& e) {
    return e.what();
  }
  return "(accepted)";
}

// The names of functions of ops.h that return a Var or a BatchNorm.
std::set<std::string> declared_ops() {
  std::ifstream file(source_dir() + "/include/lptrain/grad/ops.h");
  std::stringstream text;
  text << file.rdbuf();
  const std::string source = text.str();
  const std::regex declaration(R"((^|\n)(?:Var|BatchNorm|std::vector<Var>)\s+(\w+)\()");
  std::set<std::string> names;
  for (std::sregex_iterator i(source.begin(), source.end(), declaration), end; i != end; ++i) names.insert((*i)[2]);
  return names;
}

}  // namespace

TEST_CASE("the gradient of every op is its derivative") {
  for (const OpCase& op : op_cases()) {
    CAPTURE(op.name);
    CHECK(gradient_error(op.run, inputs_of(op), Key(5).with(op.name)) <= 1e-7);
  }
}

TEST_CASE("the check notices a wrong rule, and an input without influence") {
  const auto wrong = [](const Inputs& v) {
    return record(square(v[0].value).value, {{v[0], [x = v[0].tensor()](const Value& dy) {
                                                return zip(dy.tensor(), x, [](auto d, auto a) { return d * a * 2.00001; });
                                              }}});
  };
  CHECK(gradient_error(wrong, {normal({7})(Key(1))}, Key(2)) > 1e-6);
  const auto constant = [](const Inputs& v) { return scale(v[0], 0); };
  CHECK(std::isinf(gradient_error(constant, {normal({7})(Key(1))}, Key(2))));
}

TEST_CASE("f32 agrees with f64, forward and backward") {
  for (const OpCase& op : op_cases()) {
    CAPTURE(op.name);
    const std::vector<Tensor> inputs = inputs_of(op), inputs32 = in_f32(inputs);
    const Tensor y = value_at(op.run, inputs), y32 = value_at(op.run, inputs32);
    CHECK(y32.dtype() == DType::f32);
    CHECK(difference(convert(y32, DType::f64), y) <= 1e-5);
    const Tensor u = random_normal(y.shape(), Key(3), DType::f64);
    const std::vector<Tensor> dx = pulled_back(op.run, inputs, u), dx32 = pulled_back(op.run, inputs32, convert(u, DType::f32));
    for (size_t i = 0; i < dx.size(); ++i) {
      CAPTURE(i);
      CHECK(dx32[i].dtype() == DType::f32);
      CHECK(dx[i].shape() == inputs[i].shape());
      CHECK(difference(convert(dx32[i], DType::f64), dx[i]) <= 2e-5);
    }
  }
}

TEST_CASE("an op without a tape leaves no trace") {
  for (const OpCase& op : op_cases()) {
    CAPTURE(op.name);
    const std::vector<Tensor> inputs = inputs_of(op);
    CHECK(op.run(Inputs(inputs.begin(), inputs.end())).is_constant());
  }
}

TEST_CASE("refused inputs are named") {
  for (const OpCase& op : op_cases())
    for (const Refusal& refusal : op.refusals) {
      CAPTURE(op.name);
      const std::string message = message_of(refusal);
      CAPTURE(message);
      CHECK(message.find(refusal.message) != std::string::npos);
    }
}

TEST_CASE("every op of ops.h has a row, and refuses something") {
  std::set<std::string> tested, refusing;
  for (const OpCase& op : op_cases()) {
    tested.emplace(op.name);
    if (!op.refusals.empty()) refusing.emplace(op.name);
  }
  const std::set<std::string> declared = declared_ops();
  CHECK(declared.size() >= 40);
  for (const std::string& name : declared) {
    CAPTURE(name);
    CHECK(tested.count(name) == 1);
    CHECK(refusing.count(name) == 1);
  }
}

}  // namespace lp

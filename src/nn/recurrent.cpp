// Recurrent layers: two products a step, one with the input and one with the state, and a cell that makes the next state of them.
#include <algorithm>
#include <cmath>

#include "layers.h"

namespace lp {

// What goes from one step to the next: what the product sees, and the memory beside it, if the cell has one.
struct State {
  Var h, c;
};

// A kind of recurrent layer: x is the input's product of a step and h the state's, [N, gates H].
struct Cell {
  int64_t gates;
  bool has_state_bias;  // of the product with the state, where it is not simply added to the other
  State (*step)(const Var& x, const Var& h, const State& before);
  double (*first_bias)(int64_t gate);  // where the biases of a gate start
};

namespace {

State tanh_step(const Var& x, const Var& h, const State&) { return {tanh(add(x, h)), {}}; }
State relu_step(const Var& x, const Var& h, const State&) { return {relu(add(x, h)), {}}; }
State lstm_step(const Var& x, const Var& h, const State& before) {
  const std::vector<Var> next = unstack(lstm_cell(x, h, before.c));
  return {next[0], next[1]};
}
State gru_step(const Var& x, const Var& h, const State& before) { return {gru_cell(x, h, before.h), {}}; }

double none(int64_t) { return 0; }
double open_memory(int64_t gate) { return gate == 1 ? 1 : 0; }  // forget gates.   Source: Jozefowicz et al. 2015

constexpr Cell kTanh{1, false, tanh_step, none}, kRelu{1, false, relu_step, none}, kLstm{4, false, lstm_step, open_memory},
    kGru{3, true, gru_step, none};

// One direction. All inputs are multiplied at once; the state, seen through the lens "<layer>.h.input", step by step. What both
// products give is seen through "<layer>.gates" before the cell adds it up. The first state is zero, and multiplied with nothing.
struct RecurrentModule : Module {
  const Cell& cell;
  Steps steps;
  bool is_backward;
  int64_t H;
  std::unique_ptr<LinearModule> of_x, of_h;
  Lens gates;

  RecurrentModule(Builder& b, const std::string& name, const Shape& input, const RecurrentLayer& layer, const Cell& kind,
                  bool backward)
      : cell(kind), steps(layer.steps), is_backward(backward), H(layer.out), gates(b.lens(name, Role::activations, "gates")) {
    const Builder::Scope scope(b, name);
    const double bound = 1 / std::sqrt(static_cast<double>(H));
    of_x = inner_linear(b, "x", {input[0], input[1], cell.gates * H, true, bound});
    of_h = inner_linear(b, "h", {1, H, cell.gates * H, cell.has_state_bias, bound, input[0] - 1});
    b.may_be_named(name);
    visit_real(b.compute(), [&]<class T>() {
      const auto biases = of_x->bias->value.data<T>();
      for (size_t i = 0; i < biases.size(); ++i) biases[i] = static_cast<T>(cell.first_bias(static_cast<int64_t>(i) / H));
    });
  }

  Var forward(Context& c, const Var& in) override {
    const Var by_step = permute(c.look(of_x->input, in), {1, 0, 2});  // [T,N,C]
    const std::vector<Var> x = unstack(c.look(gates, of_x->of_seen(c, by_step)));
    const int64_t N = in.shape()[0], T = in.shape()[1];
    const Var zero(Tensor::zeros(Shape{N, H}, in.value.dtype()));
    State s{zero, zero};
    std::vector<Var> all(x.size());
    for (size_t k = 0; k < x.size(); ++k) {
      const size_t t = is_backward ? x.size() - 1 - k : k;
      s = cell.step(x[t], k == 0 ? first_product(c, x[t]) : c.look(gates, of_h->forward(c, s.h)), s);
      all[t] = s.h;
    }
    return steps == Steps::last ? s.h : permute(reshape(concat(all, 0), {T, N, H}), {1, 0, 2});
  }

  void visit(Visitor& v) override {
    of_x->visit(v);
    of_h->visit(v);
    lp::visit(gates, v);
  }

 private:
  // Of the state zero.
  Var first_product(Context& c, const Var& like) {
    const Var nothing(Tensor::zeros(like.shape(), like.value.dtype()));
    return of_h->bias ? c.look(gates, add(nothing, c.param(*of_h->bias))) : nothing;
  }
};

struct BothDirections : Module {
  std::unique_ptr<RecurrentModule> forwards, backwards;
  Var forward(Context& c, const Var& x) override { return concat({forwards->forward(c, x), backwards->forward(c, x)}, -1); }
  void visit(Visitor& v) override {
    forwards->visit(v);
    backwards->visit(v);
  }
};

}  // namespace

void RecurrentLayer::recurrent_fields(Fields& f) {
  f("out", out, "length of the state", {0, 1e6});
  f("output", steps, "the last state alone, or all of them");
  f("direction", direction, "from the first step to the last, the other way, or both, joined");
  f.claim(out >= 1, "\"out\" is wanted, at least 1");
}

Shape RecurrentLayer::states(const Shape& input) const {
  require(input.rank() == 2,
          "the input is {}, wanted [T,C]: steps of a sequence; pictures become rows by {{\"reshape\": {{\"shape\": [28, -1]}}}}",
          input.text());
  require(input[0] >= 2, "the input {} has a single step; use linear", input.text());
  const int64_t width = direction == Direction::both ? 2 * out : out;
  return steps == Steps::last ? Shape{width} : Shape{input[0], width};
}

std::unique_ptr<Module> RecurrentLayer::module(Builder& b, const std::string& name, const Shape& input, const Cell& cell) const {
  if (direction != Direction::both)
    return std::make_unique<RecurrentModule>(b, name, input, *this, cell, direction == Direction::backward);
  auto both = std::make_unique<BothDirections>();
  both->forwards = std::make_unique<RecurrentModule>(b, name, input, *this, cell, false);
  both->backwards = std::make_unique<RecurrentModule>(b, name + ".backward", input, *this, cell, true);
  return both;
}

void RnnLayer::fields(Fields& f) {
  f("name", name, "layer name; by default rnn1, rnn2 ...; its products are <name>.x and <name>.h");
  recurrent_fields(f);
  f("activation", activation, "of the state");
}

void LstmLayer::fields(Fields& f) {
  f("name", name, "layer name; by default lstm1, lstm2 ...; its products are <name>.x and <name>.h");
  recurrent_fields(f);
}

void GruLayer::fields(Fields& f) {
  f("name", name, "layer name; by default gru1, gru2 ...; its products are <name>.x and <name>.h");
  recurrent_fields(f);
}

std::unique_ptr<Module> RnnLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  return module(b, full_name, input, activation == Bend::tanh ? kTanh : kRelu);
}
std::unique_ptr<Module> LstmLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  return module(b, full_name, input, kLstm);
}
std::unique_ptr<Module> GruLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  return module(b, full_name, input, kGru);
}

}  // namespace lp

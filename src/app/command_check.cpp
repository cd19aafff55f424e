// lptrain check: what this machine offers, and whether the program works on it.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/base/files.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/random.h"
#include "lptrain/base/text.h"
#include "lptrain/base/version.h"
#include "lptrain/kernel/product.h"
#include "lptrain/train/trainer.h"
#include "rows.h"

namespace lp {
namespace {

// One line. state: "ok", "skipped" (not available here), "refused" (wrong, and therefore not used) or "broken".
struct Finding {
  std::string what, state, detail;
  void fields(Fields& f) {
    f("what", what, "was looked at");
    f("state", state, "ok, skipped, refused or broken");
    f("detail", detail, "for people");
  }
};

struct Findings {
  std::string status = "finished";
  std::vector<Finding> findings;
  void fields(Fields& f) {
    f("status", status, "finished, or error if something is broken");
    f("findings", findings, "in the order they were made");
  }
};

// ---- products against the reference

template <class T>
std::vector<T> random_operand(int64_t n, Key key) {
  std::vector<T> values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    const double u = key.uniform(static_cast<uint64_t>(i));
    values[static_cast<size_t>(i)] =
        static_cast<T>(std::is_integral_v<T> ? std::floor(256 * u) - (std::is_signed_v<T> ? 128 : 0) : 2 * u - 1);
  }
  return values;
}

std::string chosen_row(const MatmulKey& key) { return std::string(choose(matmul_rows(), key).name); }

std::string int8_product() {
  const MatmulKey key{61, 37, 515, DType::u8, DType::i8, DType::i32};
  const auto a = random_operand<uint8_t>(key.m * key.k, Key(1));
  const auto b = random_operand<int8_t>(key.k * key.n, Key(2));
  std::vector<int32_t> c(static_cast<size_t>(key.m * key.n)), wanted = c;
  matmul(key, a.data(), b.data(), c.data());
  matmul_rows().back().run(key, a.data(), b.data(), wanted.data());
  if (c != wanted) fail(ErrorKind::failure, "the product differs from the reference; try LPTRAIN_BACKEND=native");
  return fmt::format("equal to the reference, bit for bit; row {}", chosen_row(key));
}

std::string f32_product() {
  const MatmulKey key{61, 37, 515, DType::f32, DType::f32, DType::f32};
  const auto a = random_operand<float>(key.m * key.k, Key(3)), b = random_operand<float>(key.k * key.n, Key(4));
  std::vector<float> c(static_cast<size_t>(key.m * key.n)), wanted = c;
  matmul(key, a.data(), b.data(), c.data());
  matmul_rows().back().run(key, a.data(), b.data(), wanted.data());
  double worst = 0;
  for (size_t i = 0; i < c.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(c[i]) - wanted[i]));
  const double bound = 0x1p-23 * static_cast<double>(key.k * key.k);  // of both sums' errors together, |a b| <= 1
  if (!(worst <= bound)) fail(ErrorKind::failure, "the product is off by {:.3g}; try LPTRAIN_BACKEND=native", worst);
  return fmt::format("within {:.1g} of the reference; row {}", worst, chosen_row(key));
}

// ---- training

constexpr std::string_view kTinyRun = R"({
  "name": "check", "dataset": {"name": "spirals", "limit": 512},
  "model": {"name": "tiny", "layers": [{"linear": {"out": 32}}, "relu", "linear"]},
  "precision": {"weights": {"format": "int8", "narrow": true}, "activations": {"format": "int8", "scale": "ema"}},
  "train": {"epochs": 4, "batch": 32, "optimizer": {"adam": {"lr": 0.01}}}
})";

std::string tiny_training() {
  const RunConfig config = read_config(Document::parse(kTinyRun, "check"));
  const Dataset data = load_dataset(config.dataset, data_folders());
  Trainer trainer(config, data, {});
  const std::atomic<int> stop = 0;
  trainer.run(stop, [](Trainer::Moment) {});
  const auto& history = trainer.progress().history;
  const double first = history.front().train.loss, last = history.back().train.loss;
  if (!(last < first)) fail(ErrorKind::failure, "the loss went from {:.4f} to {:.4f}, wanted a decrease", first, last);
  return fmt::format("int8 weights and activations, loss {:.4f} -> {:.4f} in {} steps", first, last,
                     trainer.progress().position.step);
}

std::string writing() {
  const std::filesystem::path file = fmt::format(".lptrain-check-{}", ::getpid());
  write_file(file, "written by lptrain check\n");
  std::filesystem::remove(file);
  return std::filesystem::current_path().string();
}

// ---- the list

std::string machine() { return fmt::format("{}, {} threads", cpu_name(), thread_count()); }
std::string instructions() { return fmt::format("{} (LPTRAIN_ISA caps it)", name_of(cpu_isa())); }
std::string build() {
  return fmt::format("{}{}, {}", version(), commit().empty() ? "" : fmt::format(" {}", commit()), compiler());
}

Finding tried(const std::string& what, const std::function<std::string()>& trial) {
  try {
    return {what, "ok", trial()};
  } catch (const std::exception& e) {
    return {what, "broken", e.what()};
  }
}

Finding finding_of(const std::string& what, const RowCheck& check) {
  constexpr std::string_view kSkipped = "not checked: ";
  const bool is_skipped = check.outcome.starts_with(kSkipped);
  const std::string state = check.outcome.empty() ? "ok" : is_skipped ? "skipped" : "refused";
  const std::string detail =
      check.outcome.empty() ? "exact on extreme operands" : check.outcome.substr(is_skipped ? kSkipped.size() : 0);
  return {what, state, detail};
}

Finding finding_of(const std::string& what, Backend backend) {
  const std::string reason = unavailable(backend, Isa::portable);
  const auto is_of = [backend](const auto& row) { return row.backend == backend; };
  const bool is_built_in = std::ranges::any_of(matmul_rows(), is_of) || std::ranges::any_of(conv2d_rows(), is_of);
  return {what, reason.empty() && is_built_in ? "ok" : "skipped",
          !is_built_in     ? "not built in"
          : reason.empty() ? "available"
                           : reason};
}

struct Trial {
  std::string what;
  std::function<Finding(const std::string& what)> find;
};

std::vector<Trial> trials() {
  std::vector<Trial> all;
  const auto add = [&](const char* what, std::string (*trial)()) {
    all.push_back({what, [trial](const std::string& name) { return tried(name, trial); }});
  };
  add("build", build);
  add("machine", machine);
  add("instructions", instructions);
  for (const Backend backend : {Backend::onednn, Backend::openblas, Backend::native, Backend::reference})
    all.push_back(
        {fmt::format("back end {}", name_of(backend)), [backend](const std::string& name) { return finding_of(name, backend); }});
  for (const RowCheck& row : check_integer_rows())
    all.push_back({fmt::format("{} {}", row.family, row.row), [&row](const std::string& name) { return finding_of(name, row); }});
  add("int8 product", int8_product);
  add("f32 product", f32_product);
  add("training", tiny_training);
  add("writing", writing);
  return all;
}

}  // namespace

int command::check(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const std::vector<Trial> list = trials();
  const size_t width = std::ranges::max(list, {}, [](const Trial& trial) { return trial.what.size(); }).what.size();
  Findings all;
  for (const Trial& trial : list) {
    const Finding& finding = all.findings.emplace_back(trial.find(trial.what));
    if (finding.state == "broken") all.status = "error";
    if (finding.state != "ok" || !console.is_quiet())
      console.print("{:<8} {:<{}} {}", finding.state, finding.what, width, finding.detail);
  }
  console.json(write(all));
  return all.status == "error" ? static_cast<int>(ErrorKind::failure) : 0;
}

}  // namespace lp

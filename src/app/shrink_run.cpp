// From a trained run to a smaller one.
#include "lptrain/app/shrink_run.h"

#include "lptrain/app/begun_from.h"
#include "lptrain/app/console.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/text.h"
#include "lptrain/deploy/packed.h"
#include "lptrain/nn/cost.h"

namespace lp {
namespace {

NetworkSize size_of(const Trained& t) {
  NetworkSize size;
  const ModelCost cost = cost_of(*t.model);
  size.parameters = cost.parameters;
  size.macs = cost.macs;
  size.bytes = stored_bytes(pack(*t.model));
  size.validation = score_of(t, t.data.validation);
  size.test = score_of(t, t.data.test);
  return size;
}

std::string times(double before, double after) { return after > 0 ? fmt::format("{:.2f}x", before / after) : ""; }

std::string times(const SpeedUp& s) {
  if (!s.is_measurable()) return fmt::format("not measurable: {:.2f}x to {:.2f}x on a busy machine", s.low, s.high);
  return fmt::format("{:.2f}x ({:.2f} to {:.2f})", s.ratio(), s.low, s.high);
}

}  // namespace

RunConfig shrunk_config(const std::string& run, const std::optional<LowRank>& low_rank, int64_t epochs,
                        const std::vector<std::string>& assignments) {
  Rewritings rewrite;
  rewrite.emplace_back("remove_pruned");
  if (low_rank) rewrite.push_back(factoring(*low_rank));
  Document d = begun_from(run, "shrink", rewrite);
  d.set("train.epochs", fmt::format("{}", epochs), "--finetune");
  return read_config(d, assignments);
}

void NetworkSize::fields(Fields& f) {
  f("parameters", parameters, "trained numbers");
  f("macs", macs, "multiplications for one example");
  f("dense_bytes", bytes.dense, "every code at its own width");
  f("sparse_bytes", bytes.sparse, "zeros left out where that is smaller");
  f("huffman_bytes", bytes.huffman, "with words of varying length besides");
  f("validation", validation, "score");
  f("test", test, "score");
}

void ShrunkRun::Latencies::fields(Fields& f) {
  f("batch_1", batch_1, "for one example");
  f("batch_64", batch_64, "for 64 examples at once");
}

void ShrunkRun::fields(Fields& f) {
  f("status", status, "finished");
  f("run", run, "the folder that was written");
  f("source", source, "the network that was made smaller");
  f("before", before, "of the source");
  f("after", after, "of what came out");
  f("latency", latency, "seconds of a batch, both measured by turns");
}

std::string ShrunkRun::text() const {
  Cells rows{{"", "before", "after", "smaller, faster"}};
  const auto counts = [&](const char* what, int64_t a, int64_t b) {
    rows.push_back({what, grouped(a), grouped(b), times(static_cast<double>(a), static_cast<double>(b))});
  };
  const auto seconds = [&](const char* what, const SpeedUp& s) {
    rows.push_back({what, human_seconds(s.before), human_seconds(s.after), times(s)});
  };
  const auto scores = [&](const char* what, const Score& a, const Score& b) {
    if (a.examples > 0) rows.push_back({what, percent(a.accuracy), percent(b.accuracy), ""});
  };
  counts("parameters", before.parameters, after.parameters);
  counts("bytes, dense", before.bytes.dense, after.bytes.dense);
  counts("bytes, sparse", before.bytes.sparse, after.bytes.sparse);
  counts("bytes, Huffman", before.bytes.huffman, after.bytes.huffman);
  counts("MACs an example", before.macs, after.macs);
  seconds("latency, 1 example", latency.batch_1);
  seconds("latency, 64 at once", latency.batch_64);
  scores("validation accuracy", before.validation, after.validation);
  scores("test accuracy", before.test, after.test);
  return table_text(rows);
}

ShrunkRun compare_shrunk(const std::string& source, const std::string& run, const std::string& data) {
  ShrunkRun result;
  result.run = run;
  result.source = source;
  const TrainedPair pair = trained_pair(source, run, false, data);
  result.before = size_of(pair.before);
  result.after = size_of(pair.after);
  result.latency = {speed_up(*pair.before.model, *pair.after.model, 1), speed_up(*pair.before.model, *pair.after.model, 64)};
  return result;
}

}  // namespace lp

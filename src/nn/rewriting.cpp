// The table of rewritings.
#include "lptrain/nn/rewrite.h"

namespace lp {
namespace {

template <class T>
struct RewritingOf : Rewriting {
  std::unique_ptr<Rewriting> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
};

Rewritten told(Rewritten result, const char* nothing) {
  if (result.changes.empty()) result.changes.emplace_back(nothing);
  return result;
}

struct FoldBatchNorm : RewritingOf<FoldBatchNorm> {
  Rewritten apply(Network n) const override {
    return told(fold_batch_norm(std::move(n)), "there is no batch norm to fold: none follows a convolution or linear layer");
  }
};
struct Equalize : RewritingOf<Equalize> {
  Rewritten apply(Network n) const override {
    return told(equalize(std::move(n)),
                "there is nothing to equalize: no two layers have only relu, pooling or flatten between them");
  }
};
struct RemovePruned : RewritingOf<RemovePruned> {
  Rewritten apply(Network n) const override {
    return told(remove_pruned(std::move(n)), "there is nothing to remove: every channel matters");
  }
};
struct Factor : RewritingOf<Factor>, LowRank {
  void fields(Fields& f) override { LowRank::fields(f); }
  Rewritten apply(Network n) const override { return factor(std::move(n), *this); }
};

constexpr ChoiceRow<Rewriting> kRows[] = {
    choice_row<Rewriting, FoldBatchNorm>("fold_batch_norm", "make batch norms part of the layers before them"),
    choice_row<Rewriting, Equalize>("equalize", "give the channels between two layers the same range (Nagel et al. 2019)"),
    choice_row<Rewriting, RemovePruned>("remove_pruned",
                                        "take out filters and neurons that are pruned as a whole; the outputs stay the same"),
    choice_row<Rewriting, Factor>("low_rank", "two thin layers for one, by its largest singular values (Denton et al. 2014)"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Rewriting>> choices<Rewriting>() {
  return kRows;
}

Choice<Rewriting> factoring(const LowRank& how) {
  Choice<Rewriting> chosen("low_rank");
  static_cast<LowRank&>(dynamic_cast<Factor&>(*chosen)) = how;
  return chosen;
}

}  // namespace lp

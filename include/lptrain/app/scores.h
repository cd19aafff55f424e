// Results of runs as people read them.
#pragma once
#include <optional>
#include <string>

#include "lptrain/app/command.h"
#include "lptrain/train/run.h"

namespace lp {

std::string percent(double share);                // "98.91%"
std::string score_table(const Summary& summary);  // train, validation, test, best: loss and accuracy
// "421k parameters, 8 bits a weight (if pruned: , 90.0% of them zero), 424 kB packed, 4.2M multiplications an example, 0.4 ms for
// one and 12 ms for 64 at once"
std::string size_line(const Summary& summary);
// How small coding makes the file: "300 kB dense, 40 kB sparse, ..."; "" where it saves less than a quarter.
std::string coded_text(const Summary::Cost& c);

// What became of a trained network: before, and after something was done to it.
struct ScoreChange {
  Score validation_before, validation, test_before, test;
  void fields(Fields& f);
  std::string text() const;  // a table of accuracies
};
ScoreChange score_change(const Trained& before, const Trained& after);  // measures both

// The exit code of a training: 4, said on stderr, if a phase searched for bits and never reached its target, else 0.
int verdict_on_searches(const Summary& summary);
// What --fail-below asks for, if it is given; throws Error(usage) unless it is in 0..1.
std::optional<double> least_demanded(const Arguments& arguments);
// The exit code of a command that came to an accuracy in 0..1: 4, said on stderr, if it is below what --fail-below asks for, else
// 0. `what`: "test accuracy of the last epoch".
int verdict_on(const Arguments& arguments, double accuracy, const std::string& what);

}  // namespace lp

// The functions behind the table of commands: one a file. Each returns the exit code and throws Error.
#pragma once
#include "lptrain/app/command.h"

namespace lp::command {

int train(const Arguments& arguments);
int eval(const Arguments& arguments);
int predict(const Arguments& arguments);
int sweep(const Arguments& arguments);
int table(const Arguments& arguments);
int reproduce(const Arguments& arguments);
int compare(const Arguments& arguments);
int runs(const Arguments& arguments);
int summary(const Arguments& arguments);
int report(const Arguments& arguments);
int search(const Arguments& arguments);
int data(const Arguments& arguments);
int config(const Arguments& arguments);
int schema(const Arguments& arguments);
int explain(const Arguments& arguments);
int formats(const Arguments& arguments);
int inspect_format(const Arguments& arguments);
int ptq(const Arguments& arguments);
int prune(const Arguments& arguments);
int shrink(const Arguments& arguments);
int sensitivity(const Arguments& arguments);
int inspect(const Arguments& arguments);
int numerics(const Arguments& arguments);
int bench(const Arguments& arguments);
int profile(const Arguments& arguments);
int check(const Arguments& arguments);
int completion(const Arguments& arguments);

}  // namespace lp::command

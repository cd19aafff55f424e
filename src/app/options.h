// Options that several commands have: one wording each.
#pragma once
#include <vector>

#include "lptrain/app/command.h"
#include "lptrain/base/text.h"
#include "lptrain/number/rounding.h"

namespace lp::options {

using enum Option::Kind;

inline constexpr Option kSet{list, "set", "change a value of the config, by its path; repeatable", "PATH=VALUE", 's'};
inline constexpr Option kSeed{value, "seed", "of everything random but the validation split", "N"};
inline constexpr Option kThreads{value, "threads", "that loops use (all, unless OMP_NUM_THREADS says otherwise)", "N"};
inline constexpr Option kLimit{value, "limit", "at most so many examples of each split", "N"};
inline constexpr Option kData{value, "data", "folder of data sets, looked into first", "DIR"};
inline constexpr Option kNoLatency{flag, "no-latency", "do not measure at the end how long inference takes (half a second)"};
inline constexpr Option kJson{flag, "json", "stdout gets one JSON object as its last line, and nothing else"};
inline constexpr Option kNoProgress{flag, "no-progress", "no progress line"};
inline constexpr Option kQuiet{flag, "quiet", "results and errors only", {}, 'q'};
inline constexpr Option kVerbose{flag, "verbose", "say more", {}, 'v'};
inline constexpr Option kTrained{positional, "RUN", "run folder, or a weights file (.safetensors)", {}, 0, true};
inline constexpr Option kLast{flag, "last", "the last epoch's weights, not the best ones by validation"};
inline constexpr Option kQuick{flag, "quick", "the quick size that the sweep describes: one or two minutes"};
inline constexpr Option kReduced{flag, "reduced", "its reduced size: within the hour"};
inline constexpr Option kOnly{list, "only", "cells with such a point of an axis (int8, \"int*\", format=int8); repeatable",
                              "ROW"};
inline constexpr Option kJobs{value, "jobs", "jobs at a time (one per core)", "N", 'j'};
inline constexpr Option kJobThreads{value, "threads",
                                    "of each job (the cores, shared by those at a time; as begun, with --resume)", "N"};
inline constexpr Option kSweepOut{value, "out", "the folder of the sweep, exactly (runs/NAME)", "DIR"};
inline constexpr Option kGoOn{flag, "resume", "go on in the sweep's folder: what is done is kept, what was begun is continued"};
inline constexpr Option kPlan{flag, "dry-run", "check every config, show the jobs, write nothing", {}, 'n'};
inline constexpr Option kSplit{value, "split", "train, validation or test", "NAME"};

// What a table lists, as help shows it.
inline const std::string kRoundingWords =
    join(std::vector<std::string>(std::begin(Words<Rounding>::list), std::end(Words<Rounding>::list)), " | ");

// What every command that runs a sweep's jobs takes, behind options of its own.
inline std::vector<Option> with_job_options(std::vector<Option> options) {
  constexpr Option kShared[]{kJobs,       kOnly, kQuick, kReduced,    kSweepOut, kGoOn,   kPlan,
                             kJobThreads, kData, kJson,  kNoProgress, kQuiet,    kVerbose};
  options.insert(options.end(), std::begin(kShared), std::end(kShared));
  return options;
}

}  // namespace lp::options

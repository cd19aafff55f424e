// The table of commands.
#include <algorithm>

#include "rows.h"

namespace lp {
namespace {

using enum Option::Kind;

constexpr Option kSet{list, "set", "change a value of the config, by its path; repeatable", "PATH=VALUE", 's'};
constexpr Option kSeed{value, "seed", "of everything random but the validation split", "N"};
constexpr Option kThreads{value, "threads", "that loops use (all, unless OMP_NUM_THREADS says otherwise)", "N"};
constexpr Option kLimit{value, "limit", "at most so many examples of each split", "N"};
constexpr Option kData{value, "data", "folder of data sets, looked into first", "DIR"};
constexpr Option kJson{flag, "json", "stdout gets one JSON object as its last line, and nothing else"};
constexpr Option kNoProgress{flag, "no-progress", "no progress line"};
constexpr Option kQuiet{flag, "quiet", "results and errors only", {}, 'q'};
constexpr Option kVerbose{flag, "verbose", "say more", {}, 'v'};
constexpr Option kTrained{positional, "RUN", "run folder, or a weights file (.safetensors)", {}, 0, true};
constexpr Option kLast{flag, "last", "the last epoch's weights, not the best ones by validation"};
constexpr Option kSplit{value, "split", "train, validation or test", "NAME"};

const std::vector<Command> kCommands{
    {"train",
     "train a network as a config says",
     {"configs/cnn_int8.json                          the main job: int8 weights and uint8 activations",
      "configs/cnn_int8.json -s train.epochs=8 --seed 2    the same, changed",
      "configs/cnn_int8.json --dry-run                check it, show the model, write nothing",
      "--resume runs/cnn_int8-20260101-120000         go on after Ctrl-C or a power cut"},
     {{positional, "CONFIG", "config file, name of a shipped one, or a run folder to repeat"},
      kSet,
      {value, "out", "the run folder, exactly; must be new or empty (runs/NAME-TIME)", "DIR"},
      {value, "resume", "go on inside a run folder, where its last checkpoint stands", "RUN"},
      {value, "init-from", "start from the weights of a run or a file", "RUN"},
      kSeed,
      kThreads,
      kLimit,
      kData,
      {flag, "dry-run", "check everything, build the model, write nothing", {}, 'n'},
      {value, "fail-below", "exit 4 if the last epoch's test accuracy (0..1) is lower", "X"},
      {flag, "no-latency", "do not measure at the end how long inference takes (half a second)"},
      kJson,
      kNoProgress,
      kQuiet,
      kVerbose},
     command::train},
    {"eval",
     "measure a trained model on a split",
     {"runs/cnn_int8-20260101-120000                  loss and accuracy on the test split",
      "runs/a --split validation --per-class --confusion",
      "best.safetensors -s precision.weights=int4     the same weights, seen through 4 bits"},
     {kTrained,
      kSplit,
      {flag, "per-class", "precision and recall of each class"},
      {flag, "confusion", "which classes are taken for which"},
      kLast,
      kSet,
      kThreads,
      kLimit,
      kData,
      {value, "fail-below", "exit 4 if the accuracy (0..1) is lower", "X"},
      kJson,
      kQuiet,
      kVerbose},
     command::eval},
    {"predict",
     "name the classes of pictures or examples",
     {"runs/a digit.png                               the classes it may be, with their scores",
      "runs/a --split test --index 0 --index 17 --top 5"},
     {kTrained,
      {positionals, "IMAGE", "PNG or JPEG files; resized to what the model wants"},
      kSplit,
      {list, "index", "examples of the split, from 0; repeatable", "I"},
      {value, "top", "classes to show (3)", "K"},
      kLast,
      kThreads,
      kData,
      kJson,
      kQuiet,
      kVerbose},
     command::predict},
    {"summary",
     "layers, shapes, parameters, operations, bits and memory of a model",
     {"configs/cnn_int8.json", "runs/a", "configs/cnn_f32.json -s precision.weights=int4"},
     {{positional, "CONFIG", "config file, run folder or weights file", {}, 0, true}, kSet, kData, kJson, kQuiet, kVerbose},
     command::summary},
    {"data",
     "list, show, check, download, picture or export data sets",
     {"                                               all that are known, and which are here", "mnist --download",
      "mnist --verify", "digits --preview sheet.png", "shapes --export shapes/"},
     {{positional, "NAME", "a data set; without it, all are listed"},
      {flag, "verify", "read every file and compare its sha256; exit 3 if one is missing or wrong"},
      {flag, "download", "get what is missing"},
      {value, "preview", "draw a contact sheet of training examples", "FILE.png"},
      {value, "export", "write every example as pictures or CSV into a new folder", "DIR"},
      kData,
      kJson,
      kNoProgress,
      kQuiet,
      kVerbose},
     command::data},
    {"config",
     "show, check, compare or begin configs",
     {"show cnn_int8                                  the whole config, with every default",
      "show cnn_int8 --origin                         where each value comes from",
      "validate configs/*.json                        every mistake in them, at once", "diff cnn_f32 cnn_int8",
      "init mine --out mine.json                      a commented config to begin with"},
     {{positional, "ACTION", "show, validate, diff or init", "show|validate|diff|init", 0, true},
      {positionals, "CONFIG", "config files, names of shipped ones, run folders or weights files; init: the new name"},
      {flag, "origin", "show: the place that each value comes from"},
      {flag, "compact", "show: without values at their default"},
      {value, "out", "init: write this file, which must not exist", "FILE.json", 'o'},
      kSet,
      kData,
      kJson,
      kQuiet,
      kVerbose},
     command::config},
    {"schema",
     "the JSON Schema of a config, for editors and other programs",
     {"--out configs/schema.json                      where the shipped configs look for it", "--field train.optimizer"},
     {{value, "field", "of one key", "PATH"}, {value, "out", "write this file", "FILE.json", 'o'}, kJson, kQuiet},
     command::schema},
    {"explain",
     "what a config key, a role or a layer is, and how it will run here",
     {"train.optimizer.adam.lr                        what it does, which values, the default",
      "errors configs/cnn_int8.json                   the role, and its quantizer in each layer",
      "conv2 configs/cnn_int8.json                    formats, shapes, and the kernels of its products"},
     {{positional, "WORD", "a key, a role or a layer", {}, 0, true},
      {positional, "CONFIG", "config file, run folder or weights file"},
      kSet,
      kData,
      kJson,
      kQuiet},
     command::explain},
    {"formats",
     "number formats and what they can hold",
     {"                                            those with names", "e4m3 int6 q3.12                             any"},
     {{positionals, "FORMAT", "as configs spell it"}, kJson, kQuiet},
     command::formats},
    {"check",
     "does everything work on this machine?",
     {"                                              exit 1 if something is broken"},
     {kThreads, kJson, kQuiet},
     command::check},
    {"completion",
     "a script that completes commands and options in your shell",
     {"bash >> ~/.bash_completion", "zsh > ~/.zfunc/_lptrain", "fish > ~/.config/fish/completions/lptrain.fish"},
     {{positional, "SHELL", "bash, zsh or fish", "bash|zsh|fish", 0, true}},
     command::completion},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

}  // namespace lp

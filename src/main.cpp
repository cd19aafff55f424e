// The program `lptrain`.
#include "lptrain/app/command_line.h"

int main(int argc, char** argv) { return lp::run_command_line({argv + 1, argv + argc}); }

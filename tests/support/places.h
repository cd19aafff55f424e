// Where the repository and this build stand: said once, in support/main.cpp, so that tests compile the same in every folder.
#pragma once
#include <string>

std::string source_dir();  // of the repository
std::string binary_dir();  // of the build

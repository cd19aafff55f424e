// The entry point that every floor's test program shares, and the places it was built from.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "support/places.h"

std::string source_dir() { return LPTRAIN_SOURCE_DIR; }
std::string binary_dir() { return LPTRAIN_BINARY_DIR; }

# Writes a header that holds the commit of the source, but only if it is another one than the header holds already: whatever is built
# with it is then built again. "+" is appended if files differ from the commit; "" if unknown.
#   cmake -D SOURCE=folder -D HEADER=file -P commit.cmake
cmake_minimum_required(VERSION 3.25)
set(commit [[$Format:%h$]])     # `git archive` writes it here (.gitattributes)
if(commit MATCHES "Format")
  set(ENV{GIT_OPTIONAL_LOCKS} 0)
  # A source that was unpacked inside another repository is not that repository's.
  execute_process(COMMAND git -C ${SOURCE} ls-files --error-unmatch CMakeLists.txt RESULT_VARIABLE is_foreign OUTPUT_QUIET ERROR_QUIET)
  set(commit "")
  if(is_foreign EQUAL 0)
    execute_process(COMMAND git -C ${SOURCE} describe --always --dirty=+ --exclude=*
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "namespace lp {\nconstexpr const char* kCommit = \"@commit@\";\n}\n" @ONLY)

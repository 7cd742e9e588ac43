# cmake -DSOURCE=... -DOUTPUT=... -P WriteCommit.cmake: the header that names the commit, written
# only when it changed, so that a build of an unchanged tree rebuilds nothing.
execute_process(COMMAND git describe --always --dirty --abbrev=12
                WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit ERROR_QUIET
                OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit)
  set(commit unknown)
endif()
set(text "#ifndef NPF_TOOLS_NPF_COMMIT_H_\n#define NPF_TOOLS_NPF_COMMIT_H_\n\n#include <string_view>\n
namespace npf::tools {\ninline constexpr std::string_view kCommit = \"${commit}\";\n}  // namespace npf::tools
\n#endif  // NPF_TOOLS_NPF_COMMIT_H_\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()

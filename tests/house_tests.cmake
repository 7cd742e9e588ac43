# Tests of the house itself: every public header compiles alone, the format, the scripts, the
# installed tree with the programs of docs/embedding.md, the command's exit statuses, the C ABI.

# Twice in one file: a header needs a guard, and nothing before it. A header that fails, fails the
# build, and in one build is enough.
if(NOT NPF_SANITIZE)
  file(GLOB public_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/libnpf/include
       ${PROJECT_SOURCE_DIR}/libnpf/include/npf/*.h)
  set(header_sources "")
  foreach(header IN LISTS public_headers)
    string(MAKE_C_IDENTIFIER ${header} id)
    set(text "#include \"${header}\"\n#include \"${header}\"\n")
    file(CONFIGURE OUTPUT headers/${id}.cc CONTENT "${text}" @ONLY)
    list(APPEND header_sources ${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.cc)
    if(header MATCHES "npf/(abi|c)\\.h")
      file(CONFIGURE OUTPUT headers/${id}.c CONTENT "${text}typedef int not_empty;\n" @ONLY)
      list(APPEND header_sources ${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.c)
    endif()
  endforeach()
  add_library(npf_header_test OBJECT ${header_sources})
  target_include_directories(npf_header_test PRIVATE ${PROJECT_SOURCE_DIR}/libnpf/include)
  target_compile_options(npf_header_test PRIVATE -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror)
  set_target_properties(npf_header_test PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF UNITY_BUILD OFF)
  target_link_libraries(npf_header_test PRIVATE absl::status absl::statusor)
endif()

function(npf_house_test name)
  add_test(NAME house.${name} COMMAND ${ARGN})
  set_tests_properties(house.${name} PROPERTIES LABELS house COST 10)
endfunction()

npf_house_test(format ${PROJECT_SOURCE_DIR}/tools/dev/format --check)
npf_house_test(links ${PROJECT_SOURCE_DIR}/tools/dev/links)
npf_house_test(scripts ${PROJECT_SOURCE_DIR}/tools/dev/scripts)
npf_house_test(attacks ${PROJECT_SOURCE_DIR}/tests/cli/attacks.py --check)
npf_house_test(rows ${PROJECT_SOURCE_DIR}/tests/e2e/rows.py --check)
npf_house_test(reasons ${PROJECT_SOURCE_DIR}/tests/cli/reasons.py)
if(NOT NPF_SANITIZE AND NOT NPF_COVERAGE)
  npf_house_test(install ${PROJECT_SOURCE_DIR}/tests/install/run.sh ${PROJECT_SOURCE_DIR}
                 ${PROJECT_BINARY_DIR})
endif()

if(NPF_BUILD_TOOLS)
  add_test(NAME tools.cli COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/run.sh $<TARGET_FILE:npf>
                                  ${PROJECT_SOURCE_DIR})
  add_test(NAME tools.overlay COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/overlay.py $<TARGET_FILE:npf>
                                      ${PROJECT_SOURCE_DIR})
  add_test(NAME tools.fragments COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/fragments.py
                                        $<TARGET_FILE:npf> ${PROJECT_SOURCE_DIR})
  add_test(NAME tools.revision COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/revision.py $<TARGET_FILE:npf>)
  add_test(NAME tools.gaps COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/gaps.py $<TARGET_FILE:npf>
                                   ${PROJECT_SOURCE_DIR})

  add_test(NAME tools.expectations COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/expectations.sh
                                           $<TARGET_FILE:npf> ${PROJECT_SOURCE_DIR})
  set_tests_properties(tools.expectations PROPERTIES LABELS quick SKIP_RETURN_CODE 77)
  set(described $<TARGET_FILE:npf>)
  foreach(program IN ITEMS npf-bench npf-dpdk)
    if(TARGET ${program})
      get_target_property(named_only ${program} EXCLUDE_FROM_ALL)
      if(NOT named_only)
        list(APPEND described $<TARGET_FILE:${program}>)
      endif()
    endif()
  endforeach()
  add_test(NAME tools.ci_examples COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/ci_examples.py
                                          ${PROJECT_SOURCE_DIR} $<TARGET_FILE:npf>)
  set_tests_properties(tools.ci_examples PROPERTIES LABELS quick SKIP_RETURN_CODE 77)
  add_test(NAME tools.describing COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/describing.py
                                         ${PROJECT_SOURCE_DIR} ${described})
  set_tests_properties(tools.cli tools.gaps tools.overlay tools.fragments tools.revision
                       tools.describing PROPERTIES LABELS quick COST 10)

  add_test(NAME tools.list_page COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/list_page.py $<TARGET_FILE:npf>
                                        ${PROJECT_SOURCE_DIR})
  set_tests_properties(tools.list_page PROPERTIES LABELS quick COST 20 SKIP_RETURN_CODE 77)

  if(DEFINED ENV{NPF_SHARED})
    set(shared $ENV{NPF_SHARED})
  else()
    set(shared ${PROJECT_SOURCE_DIR}/../shared)
  endif()
  foreach(what IN ITEMS eval verify)
    add_test(NAME tools.cases_${what} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/cases.py
                                              $<TARGET_FILE:npf> ${shared} ${what})
    set_tests_properties(tools.cases_${what} PROPERTIES LABELS "shared;slow" COST 60 SKIP_RETURN_CODE 77)
  endforeach()
  if(NOT NPF_SANITIZE)
    set_tests_properties(tools.cases_eval PROPERTIES LABELS shared)
  endif()
  add_test(NAME tools.adversarial COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/adversarial.py
                                          $<TARGET_FILE:npf> ${shared})
  set_tests_properties(tools.adversarial PROPERTIES LABELS shared SKIP_RETURN_CODE 77)
  # Of the traces, the folders with most sessions; all of them take some twenty seconds.
  add_test(NAME tools.sessions COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/sessions.py
                                       $<TARGET_FILE:npf> ${shared} bench tcpstate)
  set_tests_properties(tools.sessions PROPERTIES LABELS shared SKIP_RETURN_CODE 77)
  add_test(NAME tools.sessions_all COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/sessions.py
                                           $<TARGET_FILE:npf> ${shared})
  set_tests_properties(tools.sessions_all PROPERTIES LABELS "shared;slow" SKIP_RETURN_CODE 77)
  if(NPF_BUILD_BENCH)
    add_test(NAME bench.verdicts COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/bench_verdicts.py
                                         $<TARGET_FILE:npf> $<TARGET_FILE:npf-bench> ${shared})
    set_tests_properties(bench.verdicts PROPERTIES LABELS shared SKIP_RETURN_CODE 77)
  endif()
endif()

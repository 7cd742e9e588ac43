# Build options, the one set of warnings, and the sanitizers that presets ask for.
option(NPF_BUILD_TOOLS "the npf command" ${PROJECT_IS_TOP_LEVEL})
option(NPF_BUILD_APPLIANCE "npf-dpdk, with the npf command" ${PROJECT_IS_TOP_LEVEL})
option(NPF_BUILD_TESTS "unit, conformance, differential and image tests" ${PROJECT_IS_TOP_LEVEL})
option(NPF_UNIT_TESTS "with tests: those that need no optimised build, too" ON)
option(NPF_BUILD_BENCH "benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(NPF_BUILD_FUZZERS "libFuzzer targets (needs Clang)" OFF)
option(NPF_WERROR "warnings are errors" ${PROJECT_IS_TOP_LEVEL})
option(NPF_COVERAGE "instrument for coverage" OFF)
set(NPF_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(NPF_CCACHE ccache)
if(NPF_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${NPF_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${NPF_CCACHE})
endif()

# In a unity build several sources are compiled as one: their headers are read once, and what all of
# them instantiate is compiled once. `all` is for the builds that only tests use; `cold` leaves the
# library and the benches, which are measured, as they are; without it every source must have what
# it needs.
set(NPF_UNITY "" CACHE STRING "what is built in unity: nothing, cold or all")
if(NOT NPF_UNITY MATCHES "^(cold|all)?$")
  message(FATAL_ERROR "NPF_UNITY is \"${NPF_UNITY}\"; it may be empty, cold or all")
endif()
set(CMAKE_UNITY_BUILD_BATCH_SIZE 4)
if(NPF_UNITY STREQUAL "all")
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
endif()

# Sources of this folder whose unnamed namespace has a name that a neighbour has too.
function(npf_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# Sources that run once a process: with CLI11, optimising them takes as long again as reading them.
function(npf_cold)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -Og)
  endif()
endfunction()

add_library(npf_flags INTERFACE)
target_compile_features(npf_flags INTERFACE cxx_std_20)
target_compile_options(npf_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor
  -Wno-missing-field-initializers  # what designated initialisers leave out has its default
  $<$<BOOL:${NPF_WERROR}>:-Werror>
  # GCC 12 reports these inside its own inlined std::string and Abseil code.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overread>)
if(NPF_SANITIZE)
  target_compile_options(npf_flags INTERFACE -fsanitize=${NPF_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
  target_link_options(npf_flags INTERFACE -fsanitize=${NPF_SANITIZE})
endif()
if(NPF_COVERAGE)
  target_compile_options(npf_flags INTERFACE --coverage -O0)
  target_link_options(npf_flags INTERFACE --coverage)
endif()

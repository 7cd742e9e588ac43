# The reference evaluator's tests: conformance to the Kubernetes API, and the compiled engine
# against the evaluator. Their counts can be set in the environment, see each test.
find_package(GTest REQUIRED)
find_package(ZLIB REQUIRED)
include(GoogleTest)

set(npf_reference_sources
  reference/cidr.cc reference/evaluator.cc reference/labels.cc reference/question.cc
  reference/tiers.cc)
set(npf_testing_sources
  testing/cluster.cc testing/cluster_generator.cc testing/cluster_printer.cc testing/coverage.cc
  testing/document.cc testing/judge.cc testing/question_generator.cc testing/shared_data.cc
  testing/shrink.cc testing/tier_coverage.cc)

# npf_testing(NAME evaluator): helpers of tests, over the evaluator or its test copy.
function(npf_testing_library name)
  add_library(${name} STATIC ${npf_testing_sources} ${ARGN})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/libnpf)
  target_compile_definitions(${name} PRIVATE NPF_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC npf_load npf_npf GTest::gtest PRIVATE ZLIB::ZLIB npf_flags)
endfunction()

npf_testing_library(npf_testing)
target_link_libraries(npf_testing PUBLIC npf_reference)

# A copy of the evaluator whose mistakes can be switched on.
list(TRANSFORM npf_reference_sources PREPEND ${PROJECT_SOURCE_DIR}/libnpf/ OUTPUT_VARIABLE mutated)
npf_testing_library(npf_testing_mutated ${mutated})
target_compile_definitions(npf_testing_mutated PRIVATE NPF_MUTATIONS)

add_executable(differential_test
  differential/canonical_test.cc differential/differential.cc differential/random_test.cc
  differential/shrink_test.cc differential/tiny_universe_test.cc differential/wide_test.cc)
target_link_libraries(differential_test PRIVATE npf_testing GTest::gtest_main npf_flags)

add_executable(mutation_test
  conformance/fixture.cc conformance/rules.cc conformance/tier_rules.cc
  differential/differential.cc differential/mutation_test.cc)
target_link_libraries(mutation_test PRIVATE npf_testing_mutated GTest::gtest_main npf_flags)

add_test(NAME differential.quick COMMAND differential_test)
# A sanitizer makes each question ten to forty times as dear: it asks fewer of the same clusters.
set(npf_quick_questions 4000)
set(npf_quick_stride 17)
if(NPF_SANITIZE)
  set(npf_quick_questions 500)
  set(npf_quick_stride 331)
endif()
set_tests_properties(differential.quick PROPERTIES LABELS quick ENVIRONMENT
  "NPF_DIFFERENTIAL_CLUSTERS=300;NPF_DIFFERENTIAL_QUESTIONS=${npf_quick_questions};NPF_SHUFFLED_CLUSTERS=40;NPF_UNIVERSE_STRIDE=${npf_quick_stride}")
# The whole of it: 50 million random decisions, and the exhaustive small universe. A sanitizer build
# runs the quick part only.
if(NOT NPF_SANITIZE AND NOT NPF_COVERAGE)
  add_test(NAME differential.whole COMMAND differential_test)
  set_tests_properties(differential.whole PROPERTIES LABELS whole TIMEOUT 1800)
endif()
add_test(NAME mutation COMMAND mutation_test)
set_tests_properties(mutation PROPERTIES LABELS quick)

add_executable(conformance_test
  conformance/cases_test.cc conformance/cyclonus_test.cc conformance/e2e_test.cc
  conformance/evaluator_test.cc
  conformance/fixture.cc conformance/knp_test.cc conformance/npa_test.cc
  conformance/npguard_test.cc
  conformance/rules.cc conformance/rules_test.cc conformance/selectors_test.cc
  conformance/tier_rules.cc)
target_link_libraries(conformance_test PRIVATE npf_testing GTest::gtest_main npf_flags)
gtest_discover_tests(conformance_test TEST_PREFIX conformance. PROPERTIES LABELS quick)

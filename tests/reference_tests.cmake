# The reference evaluator's tests: conformance to the Kubernetes API, and the compiled engine
# against the evaluator. Their counts can be set in the environment, see each test.
find_package(GTest REQUIRED)
find_package(ZLIB REQUIRED)
include(GoogleTest)

set(npf_reference_sources
  reference/cidr.cc reference/evaluator.cc reference/labels.cc reference/question.cc
  reference/tiers.cc)

# What tests share, and spend their time in. Whoever links it chooses an evaluator beside it: the
# real one (npf_testing), or the copy.
add_library(npf_testing_helpers STATIC
  differential/differential.cc
  testing/cluster.cc testing/cluster_generator.cc testing/cluster_printer.cc testing/coverage.cc
  testing/document.cc testing/judge.cc testing/question_generator.cc testing/shared_data.cc
  testing/shrink.cc testing/tier_coverage.cc)
target_include_directories(npf_testing_helpers PUBLIC ${PROJECT_SOURCE_DIR}/tests
                                                      ${PROJECT_SOURCE_DIR}/libnpf)
target_compile_definitions(npf_testing_helpers PRIVATE NPF_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(npf_testing_helpers PUBLIC npf_load npf_npf GTest::gtest
                                          PRIVATE ZLIB::ZLIB npf_flags)
add_library(npf_testing INTERFACE)
target_link_libraries(npf_testing INTERFACE npf_testing_helpers npf_reference)

# A copy of the evaluator whose mistakes can be switched on.
list(TRANSFORM npf_reference_sources PREPEND ${PROJECT_SOURCE_DIR}/libnpf/ OUTPUT_VARIABLE mutated)
add_library(npf_mutated_reference STATIC ${mutated})
target_compile_definitions(npf_mutated_reference PRIVATE NPF_MUTATIONS)
target_link_libraries(npf_mutated_reference PUBLIC npf_npf PRIVATE npf_flags)

# The rules of docs/semantics.md with their examples, and the reference data's fixtures.
npf_alone(conformance/tier_rules.cc)
add_library(npf_conformance STATIC
  conformance/fixture.cc conformance/npguard.cc conformance/rules.cc conformance/tier_rules.cc)
target_link_libraries(npf_conformance PUBLIC npf_testing_helpers PRIVATE npf_test_flags)

add_executable(differential_test
  differential/canonical_test.cc differential/random_test.cc differential/shrink_test.cc
  differential/tiny_universe_test.cc differential/wide_test.cc)
target_link_libraries(differential_test PRIVATE npf_testing GTest::gtest_main npf_flags)

add_executable(mutation_test differential/mutation_test.cc)
target_link_libraries(mutation_test PRIVATE npf_conformance npf_testing_helpers npf_mutated_reference
                                            GTest::gtest_main npf_test_flags)

add_test(NAME differential.quick COMMAND differential_test)
# A sanitizer makes each question ten to forty times as dear: it asks fewer of the same clusters.
set(npf_quick_questions 4000)
set(npf_quick_stride 17)
if(NPF_SANITIZE)
  set(npf_quick_questions 500)
  set(npf_quick_stride 331)
endif()
set_tests_properties(differential.quick PROPERTIES LABELS quick COST 100 ENVIRONMENT
  "NPF_DIFFERENTIAL_CLUSTERS=300;NPF_DIFFERENTIAL_QUESTIONS=${npf_quick_questions};NPF_SHUFFLED_CLUSTERS=40;NPF_UNIVERSE_STRIDE=${npf_quick_stride}")
# The whole of it: 50 million random decisions, and the exhaustive small universe. A sanitizer build
# runs the quick part only. Parts of about the same length, so that they share the processors; the
# last has what no other names. They take longest, so they begin first.
function(npf_whole_part name filter)
  add_test(NAME differential.whole_${name} COMMAND differential_test --gtest_filter=${filter})
  set_tests_properties(differential.whole_${name} PROPERTIES LABELS whole TIMEOUT 1800 COST 300)
endfunction()
if(NOT NPF_SANITIZE AND NOT NPF_COVERAGE)
  npf_whole_part(random *OnRandomClusters)
  npf_whole_part(ingress_tiers *IngressTiers)
  npf_whole_part(egress_tiers *EgressTiers)
  npf_whole_part(rest -*OnRandomClusters:*IngressTiers:*EgressTiers)
endif()
add_test(NAME mutation COMMAND mutation_test)
set_tests_properties(mutation PROPERTIES LABELS quick COST 100)

add_executable(conformance_test
  conformance/cases_test.cc conformance/cyclonus_test.cc conformance/e2e_test.cc
  conformance/evaluator_test.cc conformance/knp_test.cc conformance/npa_test.cc
  conformance/npguard_test.cc conformance/rules_test.cc conformance/selectors_test.cc)
target_link_libraries(conformance_test PRIVATE npf_conformance npf_testing GTest::gtest_main
                                               npf_test_flags)
gtest_discover_tests(conformance_test TEST_PREFIX conformance. PROPERTIES LABELS quick COST 50)

# Tests of what list and diff answer from.
find_package(GTest REQUIRED)
include(GoogleTest)

npf_alone(unit/analysis_entrances_test.cc unit/analysis_test.cc)
add_executable(analysis_test
  conformance/npguard_list_test.cc unit/analysis_brute_test.cc unit/analysis_entrances_test.cc
  unit/analysis_test.cc)
target_link_libraries(analysis_test PRIVATE npf_analysis npf_conformance npf_load npf_testing
                                            GTest::gtest_main npf_test_flags)
gtest_discover_tests(analysis_test TEST_PREFIX analysis. PROPERTIES LABELS quick COST 20)

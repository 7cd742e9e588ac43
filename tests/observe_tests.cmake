# Tests of what the appliance tells about itself, without DPDK.
find_package(GTest REQUIRED)
include(GoogleTest)

add_executable(observe_test
  unit/observe_deny_log_test.cc unit/observe_http_test.cc unit/observe_metrics_test.cc)
target_compile_definitions(observe_test PRIVATE NPF_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(observe_test PRIVATE npf_observe GTest::gtest_main npf_test_flags)
gtest_discover_tests(observe_test TEST_PREFIX observe. PROPERTIES LABELS quick)

# Tests of what the appliance tells about itself, without DPDK.
find_package(GTest REQUIRED)
include(GoogleTest)

add_executable(observe_test
  unit/observe_deny_log_test.cc unit/observe_file_watch_test.cc unit/observe_http_test.cc unit/observe_metrics_test.cc
  unit/observe_privileges_test.cc  unit/observe_readiness_test.cc unit/observe_settings_test.cc
  unit/observe_systemd_test.cc
  unit/observe_visibility_test.cc)
set_target_properties(observe_test PROPERTIES UNITY_BUILD OFF)
target_compile_definitions(observe_test PRIVATE NPF_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(observe_test PRIVATE npf_observe GTest::gtest_main npf_test_flags)
gtest_discover_tests(observe_test TEST_PREFIX observe. PROPERTIES LABELS quick)

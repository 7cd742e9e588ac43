# Tests of what npf-bench is made of. Whether it is fast is asked elsewhere.
if(TARGET npf_bench)
  find_package(GTest REQUIRED)
  include(GoogleTest)

  add_executable(bench_test
    unit/bench_floods_test.cc unit/bench_frames_test.cc unit/bench_measure_test.cc unit/bench_report_test.cc
    unit/bench_traffic_test.cc unit/bench_workload_test.cc)
  target_link_libraries(bench_test PRIVATE npf_bench GTest::gtest_main npf_test_flags)
  gtest_discover_tests(bench_test TEST_PREFIX bench. PROPERTIES LABELS quick)
endif()

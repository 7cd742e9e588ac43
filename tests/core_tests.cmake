# Tests of resolve, compile, explain and images.
find_package(GTest REQUIRED)
include(GoogleTest)

npf_alone(unit/kernel_test.cc)
add_executable(core_test unit/resolve_test.cc unit/compile_test.cc unit/explain_test.cc unit/kernel_test.cc)
target_link_libraries(core_test PRIVATE npf_testing npf_workload GTest::gtest_main npf_test_flags)
gtest_discover_tests(core_test TEST_PREFIX core. PROPERTIES LABELS quick COST 10)

add_executable(image_test image/corruption_test.cc)
target_link_libraries(image_test PRIVATE npf_testing GTest::gtest_main npf_test_flags)
gtest_discover_tests(image_test TEST_PREFIX image. PROPERTIES COST 10 TIMEOUT 900)

# Tests of the model and of the loader, and conformance of what is accepted and refused.
find_package(GTest REQUIRED)
include(GoogleTest)

npf_alone(unit/model_validate_test.cc)
add_executable(model_test
  unit/model_snapshot_test.cc unit/model_validate_cluster_test.cc unit/model_validate_test.cc)
target_include_directories(model_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(model_test PRIVATE npf_npf GTest::gtest_main npf_test_flags)
gtest_discover_tests(model_test TEST_PREFIX model. PROPERTIES LABELS quick)

npf_alone(unit/load_yaml_test.cc)
add_executable(load_test
  unit/load_cluster_policy_test.cc unit/load_cluster_test.cc unit/load_files_test.cc
  unit/load_json_test.cc unit/load_kinds_test.cc unit/load_policy_test.cc
  unit/load_terraform_test.cc unit/load_wrapped_test.cc unit/load_yaml_test.cc)
target_include_directories(load_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(load_test PRIVATE npf_load ZLIB::ZLIB GTest::gtest_main npf_test_flags)
gtest_discover_tests(load_test TEST_PREFIX load. PROPERTIES LABELS quick COST 10)

add_executable(load_conformance_test
  conformance/policies_load_test.cc conformance/same_snapshot_test.cc
  conformance/validation_test.cc)
target_link_libraries(load_conformance_test PRIVATE npf_conformance npf_testing GTest::gtest_main
                                                    npf_test_flags)
gtest_discover_tests(load_conformance_test TEST_PREFIX conformance. PROPERTIES LABELS quick)

if(NPF_BUILD_TOOLS)
  add_executable(badinput_test conformance/badinput_test.cc)
  target_compile_definitions(badinput_test PRIVATE NPF_COMMAND="$<TARGET_FILE:npf>")
  target_link_libraries(badinput_test PRIVATE npf_conformance npf_testing GTest::gtest_main npf_test_flags)
  add_dependencies(badinput_test npf)
  gtest_discover_tests(badinput_test TEST_PREFIX conformance. PROPERTIES LABELS quick)
endif()

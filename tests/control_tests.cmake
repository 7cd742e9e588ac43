# Tests of the control socket and of the verbs that use it.
if(NPF_CONTROL AND NPF_BUILD_TOOLS)
  add_executable(control_test
    control/convert_test.cc control/fixture.cc control/raw_test.cc control/socket_test.cc control/verbs_test.cc)
  set_target_properties(control_test PROPERTIES UNITY_BUILD OFF)
  target_include_directories(control_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_include_directories(control_test SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/proto/generated)
  target_compile_definitions(control_test PRIVATE NPF_COMMAND="$<TARGET_FILE:npf>")
  target_link_libraries(control_test PRIVATE npf_control PkgConfig::NPF_GRPC GTest::gtest_main
                                             npf_test_flags)
  add_dependencies(control_test npf)
  gtest_discover_tests(control_test TEST_PREFIX control. PROPERTIES LABELS quick)
endif()

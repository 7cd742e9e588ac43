# Tests of packets, captures, connections and replay.
find_package(GTest REQUIRED)
include(GoogleTest)

add_executable(packet_test
  unit/flow_table_test.cc unit/fragment_table_test.cc unit/packet_builder.cc unit/packet_ipv4_test.cc unit/packet_ipv6_test.cc unit/packet_link_test.cc
  unit/overlay_test.cc unit/packet_transport_test.cc unit/packet_tunnel_property_test.cc
  unit/packet_tunnel_test.cc unit/tunnel_builder.cc)
target_include_directories(packet_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(packet_test PRIVATE npf_runtime GTest::gtest_main npf_test_flags)
gtest_discover_tests(packet_test TEST_PREFIX packet. PROPERTIES LABELS quick)

add_executable(engine_test unit/engine_overlay_test.cc unit/frames_test.cc unit/packet_builder.cc
  unit/replay_engine_test.cc unit/tunnel_builder.cc)
target_include_directories(engine_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(engine_test PRIVATE npf_load npf_workload GTest::gtest_main npf_test_flags)
gtest_discover_tests(engine_test TEST_PREFIX engine. PROPERTIES LABELS quick)

# A sanitizer brings its own allocator and its own calls.
if(NOT NPF_SANITIZE AND NOT NPF_COVERAGE)
  add_executable(hot_path_test unit/hot_path_test.cc unit/packet_builder.cc unit/tunnel_builder.cc)
  target_include_directories(hot_path_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(hot_path_test PRIVATE npf_npf npf_workload GTest::gtest_main npf_test_flags)
  gtest_discover_tests(hot_path_test TEST_PREFIX hot_path. PROPERTIES LABELS quick)
  add_test(NAME hot_path.objects COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/hot_objects.sh
                                         $<TARGET_OBJECTS:npf_classify_objects>
                                         $<TARGET_OBJECTS:npf_packet_objects>
                                         $<FILTER:$<TARGET_OBJECTS:npf_engine_objects>,INCLUDE,frames>
           COMMAND_EXPAND_LISTS)
  set_tests_properties(hot_path.objects PROPERTIES LABELS quick)
endif()

if(NPF_BUILD_TOOLS)
  find_package(ZLIB REQUIRED)
  add_executable(capture_test
    unit/capture_builder.cc unit/capture_pcap_test.cc unit/capture_pcapng_test.cc
    unit/capture_writer_test.cc)
  target_include_directories(capture_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(capture_test PRIVATE npf_capture GTest::gtest_main ZLIB::ZLIB npf_test_flags)
  gtest_discover_tests(capture_test TEST_PREFIX capture. PROPERTIES LABELS quick)

  add_executable(traces_test conformance/traces_test.cc)
  target_link_libraries(traces_test PRIVATE npf_testing npf_capture GTest::gtest_main npf_test_flags)
  gtest_discover_tests(traces_test TEST_PREFIX traces. PROPERTIES LABELS quick TIMEOUT 600)

  add_executable(badcapture_test conformance/badcapture_test.cc)
  target_compile_definitions(badcapture_test PRIVATE NPF_COMMAND="$<TARGET_FILE:npf>")
  target_link_libraries(badcapture_test PRIVATE npf_conformance npf_testing GTest::gtest_main npf_test_flags)
  add_dependencies(badcapture_test npf)
  gtest_discover_tests(badcapture_test TEST_PREFIX badcapture. PROPERTIES LABELS quick)
endif()

add_subdirectory(fuzz)

# Unit tests of packets, connections, captures, the command and the C ABI. They find the same faults
# however they are compiled: tools/test builds them with the sanitizers only.
find_package(GTest REQUIRED)
include(GoogleTest)

add_executable(packet_test
  unit/flow_index_test.cc unit/flow_table_test.cc unit/tcp_test.cc unit/sctp_test.cc unit/fragment_table_test.cc unit/packet_builder.cc unit/packet_ipv4_test.cc unit/packet_ipv6_test.cc unit/packet_link_test.cc
  unit/overlay_test.cc unit/packet_transport_test.cc unit/packet_tunnel_property_test.cc
  unit/packet_tunnel_test.cc unit/tunnel_builder.cc)
target_include_directories(packet_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(packet_test PRIVATE npf_runtime GTest::gtest_main npf_test_flags)
set_target_properties(packet_test PROPERTIES UNITY_BUILD OFF)
gtest_discover_tests(packet_test TEST_PREFIX packet. PROPERTIES LABELS quick COST 10)

add_executable(engine_test
  unit/engine_overlay_test.cc unit/fragment_bench.cc unit/frames_test.cc unit/packet_builder.cc
  unit/reassembly_model_test.cc unit/reassembly_test.cc unit/tunnel_builder.cc unit/worker_test.cc)
target_include_directories(engine_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(engine_test PRIVATE npf_load npf_workload GTest::gtest_main npf_test_flags)
set_target_properties(engine_test PROPERTIES UNITY_BUILD OFF)
gtest_discover_tests(engine_test TEST_PREFIX engine. PROPERTIES LABELS quick COST 10)

# Attacks by their numbers: those that no other test plays.
add_executable(attack_test
  attacks/bounds_test.cc attacks/compile_bounds_test.cc attacks/frames_test.cc
  attacks/meaning_test.cc attacks/spoofing_test.cc unit/packet_builder.cc unit/tunnel_builder.cc)
set_target_properties(attack_test PROPERTIES UNITY_BUILD OFF)
target_include_directories(attack_test PRIVATE ${PROJECT_SOURCE_DIR}/tests
                                               ${PROJECT_SOURCE_DIR}/libnpf)
target_link_libraries(attack_test PRIVATE npf_load GTest::gtest_main npf_test_flags)
gtest_discover_tests(attack_test TEST_PREFIX attack. PROPERTIES LABELS quick)

if(NPF_BUILD_TOOLS)
  find_package(ZLIB REQUIRED)
  npf_alone(unit/capture_pcapng_test.cc unit/capture_writer_test.cc)
  add_executable(capture_test
    unit/capture_builder.cc unit/capture_pcap_test.cc unit/capture_pcapng_test.cc
    unit/capture_writer_test.cc unit/gaps_evidence_test.cc unit/gaps_world_test.cc
    unit/packet_builder.cc)
  target_include_directories(capture_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(capture_test PRIVATE npf_capture npf_gaps GTest::gtest_main ZLIB::ZLIB npf_test_flags)
  gtest_discover_tests(capture_test TEST_PREFIX capture. PROPERTIES LABELS quick)

  add_executable(tools_test
    unit/csv_test.cc unit/expectation_test.cc unit/gaps_flow_log_test.cc unit/gaps_judge_test.cc
    unit/question_test.cc unit/replay_queue_test.cc unit/sarif_test.cc unit/verifier_test.cc)
  target_include_directories(tools_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(tools_test PRIVATE npf_verbs npf_testing GTest::gtest_main npf_test_flags)
  gtest_discover_tests(tools_test TEST_PREFIX tools. PROPERTIES LABELS quick)
endif()

add_executable(capi_test unit/capi_test.cc)
target_link_libraries(capi_test PRIVATE npf_npf GTest::gtest_main npf_test_flags)
gtest_discover_tests(capi_test TEST_PREFIX capi. PROPERTIES LABELS quick)

add_subdirectory(fuzz)

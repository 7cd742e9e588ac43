# Tests of packets, captures, connections and replay.
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

add_subdirectory(simulator)
add_executable(simulator_test simulator/simulator_test.cc)
target_link_libraries(simulator_test PRIVATE npf_simulator GTest::gtest_main npf_test_flags)
set(npf_simulator_sequences 10000)
if(NPF_SANITIZE OR NPF_COVERAGE)
  set(npf_simulator_sequences 1500)
endif()
gtest_discover_tests(simulator_test TEST_PREFIX simulator. PROPERTIES LABELS quick COST 20 TIMEOUT 600
  ENVIRONMENT NPF_SIMULATOR_SEQUENCES=${npf_simulator_sequences})
add_test(NAME simulator.long COMMAND simulator_test)
set_tests_properties(simulator.long PROPERTIES LABELS slow COST 300 TIMEOUT 3600
  ENVIRONMENT "NPF_SIMULATOR_SEQUENCES=250000;NPF_SIMULATOR_SEED=1000000;NPF_SIMULATOR_SWAPPED=50000000")

if(NPF_BUILD_TOOLS)
  find_package(ZLIB REQUIRED)
  npf_alone(unit/capture_pcapng_test.cc unit/capture_writer_test.cc)
  add_executable(capture_test
    unit/capture_builder.cc unit/capture_pcap_test.cc unit/capture_pcapng_test.cc
    unit/capture_writer_test.cc)
  target_include_directories(capture_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(capture_test PRIVATE npf_capture GTest::gtest_main ZLIB::ZLIB npf_test_flags)
  gtest_discover_tests(capture_test TEST_PREFIX capture. PROPERTIES LABELS quick)

  add_executable(traces_test conformance/traces_test.cc)
  target_link_libraries(traces_test PRIVATE npf_testing npf_capture GTest::gtest_main npf_test_flags)
  gtest_discover_tests(traces_test TEST_PREFIX traces. PROPERTIES LABELS quick TIMEOUT 600)

  add_executable(scatter_test simulator/scatter_test.cc testing/shared_data.cc)
  target_compile_definitions(scatter_test PRIVATE NPF_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(scatter_test PRIVATE npf_simulator npf_capture GTest::gtest_main ZLIB::ZLIB
                                             npf_test_flags)
  gtest_discover_tests(scatter_test TEST_PREFIX scatter. PROPERTIES LABELS quick)

  # The parser against a slow one that shares nothing with it. What takes the time are the helpers,
  # which keep the flags of the preset.
  npf_alone(parser/frame_mutator.cc parser/reference_parser.cc)
  add_library(npf_slow_parser STATIC
    parser/built_seeds.cc parser/captured_seeds.cc parser/control_rules.cc parser/frame_cut.cc
    parser/frame_mutator.cc parser/frame_rules.cc parser/parser_coverage.cc
    parser/reference_parser.cc parser/transport_rules.cc testing/shared_data.cc
    unit/packet_builder.cc)
  target_include_directories(npf_slow_parser PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
                                                    ${PROJECT_SOURCE_DIR}/libnpf)
  target_compile_definitions(npf_slow_parser PRIVATE NPF_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(npf_slow_parser PUBLIC npf_load npf_npf npf_capture GTest::gtest
                                        PRIVATE ZLIB::ZLIB npf_flags)
  add_executable(parser_test parser/parser_test.cc)
  target_link_libraries(parser_test PRIVATE npf_slow_parser GTest::gtest_main npf_test_flags)
  set(npf_parser_frames 2000000)
  if(NPF_SANITIZE OR NPF_COVERAGE)
    set(npf_parser_frames 100000)
  endif()
  gtest_discover_tests(parser_test TEST_PREFIX parser. PROPERTIES LABELS quick COST 20 TIMEOUT 600
    ENVIRONMENT NPF_PARSER_FRAMES=${npf_parser_frames})
  add_test(NAME parser.long COMMAND parser_test)
  set_tests_properties(parser.long PROPERTIES LABELS slow COST 300 TIMEOUT 3600
    ENVIRONMENT NPF_PARSER_FRAMES=10000000)

  add_executable(badcapture_test conformance/badcapture_test.cc)
  target_compile_definitions(badcapture_test PRIVATE NPF_COMMAND="$<TARGET_FILE:npf>")
  target_link_libraries(badcapture_test PRIVATE npf_conformance npf_testing GTest::gtest_main npf_test_flags)
  add_dependencies(badcapture_test npf)
  gtest_discover_tests(badcapture_test TEST_PREFIX badcapture. PROPERTIES LABELS quick)
endif()

add_subdirectory(fuzz)

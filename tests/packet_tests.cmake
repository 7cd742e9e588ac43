# Tests of packets, captures, connections and replay beyond units.
find_package(GTest REQUIRED)
include(GoogleTest)

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

# Tests of lint: what it finds and where, that its proofs hold, and that the docs know each finding.
find_package(GTest REQUIRED)
include(GoogleTest)

add_executable(lint_test lint/findings_test.cc lint/proof.cc lint/proof_test.cc)
target_link_libraries(lint_test PRIVATE npf_lint npf_testing GTest::gtest_main npf_test_flags)
gtest_discover_tests(lint_test TEST_PREFIX lint. PROPERTIES LABELS quick COST 30)

add_test(NAME lint.mistakes COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/mistakes.py $<TARGET_FILE:npf>
                                    ${PROJECT_SOURCE_DIR})
add_test(NAME lint.sarif COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/sarif.py $<TARGET_FILE:npf>
                                 ${PROJECT_SOURCE_DIR})
set_tests_properties(lint.mistakes lint.sarif PROPERTIES LABELS quick COST 10)
set_tests_properties(lint.sarif PROPERTIES SKIP_RETURN_CODE 77)
npf_house_test(lint_docs ${PROJECT_SOURCE_DIR}/tests/cli/lint_docs.py)

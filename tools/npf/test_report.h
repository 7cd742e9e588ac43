// What `npf test` found, in the words of a terminal, of TAP 14, of JUnit, and as JSON.
#ifndef NPF_TOOLS_NPF_TEST_REPORT_H_
#define NPF_TOOLS_NPF_TEST_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "npf/address_names.h"
#include "npf/expectation.h"
#include "npf/expectation_check.h"
#include "npf/program.h"
#include "npf/why.h"

namespace npf::tools {

struct TestResults {
  const ExpectationFile& file;
  const std::vector<Outcome>& outcomes;  // of the expectations, in order
  const Program& program;
  const Places& places;
  const AddressNames& names;
  int64_t now_s = 0;  // when they were judged, Unix time
};

size_t FailedCount(const TestResults& results);

std::string TestTable(const TestResults& results);
std::string TestTap(const TestResults& results);
// One suite for each file. It is valid by the schema of Ant's JUnit task and by that of Jenkins.
std::string TestJunit(const TestResults& results);
std::string TestJson(const TestResults& results);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_TEST_REPORT_H_

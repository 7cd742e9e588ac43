// Captures that are wrong in some way, as the reference data lists them: how `npf replay` ends, and
// what it says.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>
#include <regex>
#include <string>

#include "conformance/fixture.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

struct Result {
  int exit_status = -1;  // -1: ended by a signal
  std::string text;      // both streams
};

Result RunCommand(const std::string& command) {
  Result result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  size_t count = 0;
  while ((count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.text.append(buffer.data(), count);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
  return result;
}

TEST(BadCaptureTest, EndsAndSaysWhatTheReferenceDataExpects) {
  NPF_SHARED_OR_SKIP(shared);
  const std::filesystem::path folder = shared / "adversarial" / "badinput";
  const std::string command = std::string(NPF_COMMAND) + " replay -f " +
                              (shared / "adversarial" / "cluster.yaml").string() + " -f " +
                              (shared / "adversarial" / "policies.yaml").string() + " -r ";
  size_t rows = 0;
  const rapidjson::Document expect = ReadJson(folder / "EXPECT.json");
  for (const auto& row : expect["cases"].GetArray()) {
    if (row["kind"] != "pcap") continue;
    ++rows;
    const std::string file = row["file"].GetString();
    SCOPED_TRACE(file);
    for (const char* output : {"table", "jsonl"}) {
      const Result result = RunCommand(command + (folder / file).string() + " -o " + output);
      const bool free_choice = row["accept"].IsNull();
      if (!free_choice || result.exit_status != 0) {
        EXPECT_EQ(result.exit_status, row["exit"].GetInt()) << result.text;
      }
      const std::regex wanted(row["message_regex"].GetString(), std::regex::icase);
      EXPECT_TRUE(std::regex_search(result.text, wanted)) << result.text;
    }
  }
  std::printf("%zu captures\n", rows);
  EXPECT_GT(rows, 20u);
}

}  // namespace
}  // namespace npf::testing

// Inputs that must be refused: the command's exit status and message for every row about policies.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <map>
#include <regex>
#include <string>

#include "conformance/fixture.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

struct Outcome {
  int exit_status = -1;
  std::string messages;  // of stderr
};

// The shell sees names of our own data only.
Outcome Validate(const std::filesystem::path& directory, const std::string& file) {
  const std::string command = "cd '" + directory.string() + "' && '" + NPF_COMMAND +
                              "' validate -f '" + file + "' 2>&1 >/dev/null";
  Outcome run;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    run.messages.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  run.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

// What the command does where a row leaves it open, and the one row that a ruling overrides.
const std::map<std::string, int>& Rulings() {
  static const std::map<std::string, int> kRulings = {
      {"label_bool.yaml", 3},    // a label must be a string (R66)
      {"no_selector.yaml", 0},   // a missing podSelector is a warning (R9)
      {"port_9.yaml", 0},        // 0x50: accepted with a warning
      {"port_10.yaml", 3},       // 1e3: refused
      {"hostbits.yaml", 0},      // masked, with a warning (R33)
      {"except_equal.yaml", 3},  // not a strict subset (R74)
      // The row wants 3 because its second policy has no podSelector; the ruling on R9 makes that a
      // warning, here as in no_selector.yaml.
      {"one_bad_of_two.yaml", 0}};
  return kRulings;
}

TEST(ConformanceTest, BadInputOfPolicies) {
  NPF_SHARED_OR_SKIP(shared);
  const std::filesystem::path directory = shared / "adversarial/badinput";
  const rapidjson::Document document = ReadJson(directory / "EXPECT.json");
  unsigned count = 0;
  for (const auto& row : document["cases"].GetArray()) {
    if (row["kind"] != "policy") continue;
    ++count;
    const std::string file = row["file"].GetString();
    SCOPED_TRACE(file);
    const Outcome run = Validate(directory, file);
    const auto ruling = Rulings().find(file);
    EXPECT_EQ(run.exit_status, ruling == Rulings().end() ? row["exit"].GetInt() : ruling->second)
        << run.messages;
    // The name of the file must not be what the expression finds.
    std::string messages = run.messages;
    for (size_t at; (at = messages.find(file)) != std::string::npos;)
      messages.erase(at, file.size());
    const std::regex expected(row["message_regex"].GetString(), std::regex::icase);
    EXPECT_TRUE(std::regex_search(messages, expected)) << run.messages;
    EXPECT_TRUE(run.messages.empty() || run.messages.starts_with("npf: " + file));
  }
  std::printf("bad input: %u rows about policies\n", count);
  EXPECT_GE(count, 60u);
}

}  // namespace
}  // namespace npf::testing

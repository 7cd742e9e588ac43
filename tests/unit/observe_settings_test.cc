// The configuration file of the appliance.
#include "observe/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "npf/settings.h"

namespace npf::observe {
namespace {

const std::vector<std::string> kKnown = {"placement", "http", "node", "log-lines", "allow-all"};

class ObserveSettings : public testing::Test {
 protected:
  ~ObserveSettings() override { unlink(path_.c_str()); }
  absl::StatusOr<std::vector<SettingArgument>> Read(std::string_view text) {
    std::ofstream(path_) << text;
    return ReadSettings(path_, kKnown);
  }
  // What it says, without the path.
  std::string Fault(std::string_view text) {
    std::string fault(Read(text).status().message());
    for (size_t at; (at = fault.find(path_)) != std::string::npos;)
      fault.replace(at, path_.size(), "F");
    return fault;
  }
  std::string path_ =
      testing::TempDir() + "/observe_settings_" + std::to_string(getpid()) + ".yaml";
};

TEST_F(ObserveSettings, ScalarsAndListsBecomeArguments) {
  const auto read = Read(
      "# what\nplacement: node-wire\nlog-lines: 0100\nallow-all: true\n"
      "node:\n- a\n- 'b c'\n");
  ASSERT_TRUE(read.ok()) << read.status();
  std::string text;
  for (const SettingArgument& argument : *read) {
    text += argument.where.substr(path_.size()) + " " + argument.flag + "=" + argument.value + "\n";
  }
  EXPECT_EQ(text,
            ":2 --placement=node-wire\n:3 --log-lines=0100\n:4 --allow-all=true\n"
            ":6 --node=a\n:7 --node=b c\n");
}

TEST_F(ObserveSettings, AnEmptyFileSetsNothing) {
  EXPECT_TRUE(Read("# nothing\n").ok());
  EXPECT_TRUE(Read("").ok());
  EXPECT_TRUE(Read("{}").ok());
}

TEST_F(ObserveSettings, AnUnknownNameIsAnErrorWithTheClosestKnown) {
  EXPECT_EQ(Fault("http: x\nplacment: y\nzzzzzzzz: 1\n"),
            "F:2: no setting is called \"placment\"; did you mean placement?\n"
            "F:3: no setting is called \"zzzzzzzz\"");
}

TEST_F(ObserveSettings, WhatIsNoSettingIsAnErrorWithItsPlace) {
  EXPECT_EQ(Fault("http:\n"), "F:1:1: http: has no value");
  EXPECT_NE(Fault("node: [a, [b]]").find("F:1:11: node: must be a scalar or a list of scalars"),
            std::string::npos);
  EXPECT_NE(Fault("http: {a: b}").find("F:1:1: http: must be a scalar"), std::string::npos);
  EXPECT_NE(Fault("http: a\nhttp: b\n").find("F:2:1: duplicate key"), std::string::npos);
  EXPECT_NE(Fault("- http\n").find("F:1:1: must be a mapping"), std::string::npos);
  EXPECT_NE(Fault("http: a\n---\nhttp: b\n").find("a second document"), std::string::npos);
  EXPECT_NE(Fault("http: [a\n").find("not valid YAML"), std::string::npos);
  EXPECT_NE(Fault(std::string_view("http: a\0", 8)).find("NUL"), std::string::npos);
  EXPECT_NE(Fault("http: !!binary aGk=\n").find("tag"), std::string::npos);
  EXPECT_NE(Fault(std::string(2 << 20, '#')).find("F: "), std::string::npos);
}

TEST_F(ObserveSettings, AFileThatIsNotThereIsAnErrorThatNamesIt) {
  const auto read = ReadSettings("/nowhere/npf.yaml", kKnown);
  EXPECT_NE(read.status().message().find("/nowhere/npf.yaml: "), std::string::npos);
  EXPECT_FALSE(ReadSettings("/", kKnown).ok());
}

TEST(ObserveClosestName, IsOneThatIsNear) {
  EXPECT_EQ(ClosestName("log-line", kKnown), "log-lines");
  EXPECT_EQ(ClosestName("loglines", kKnown), "log-lines");
  EXPECT_EQ(ClosestName("something-else-entirely", kKnown), "");
  EXPECT_EQ(ClosestName(std::string(100'000, 'x'), {}), "");
}

TEST(SettingsText, JsonAndAListCalledItemsAreReadToo) {
  const auto read = ReadSettingsText("{\"items\": [1, \"b\"],\n \"c\": true}", "x.json");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[1].name, "items");
  EXPECT_EQ((*read)[1].value, "b");
  EXPECT_EQ((*read)[2].line, 2u);
}

}  // namespace
}  // namespace npf::observe

// CSV as RFC 4180 has it, and protocols and ports as people write them.
#include "npf/csv.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

using Record = std::vector<std::string>;

class CsvTest : public testing::Test {
 protected:
  void SetUp() override { path_ = testing::TempDir() + "/csv_test_" + std::to_string(getpid()); }
  void TearDown() override { std::remove(path_.c_str()); }

  std::unique_ptr<CsvReader> Open(const std::string& text) {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    return CsvReader::Open(path_);
  }

  std::string path_;
};

TEST_F(CsvTest, PlainQuotedAndEmptyFields) {
  const auto reader = Open("a,b,c\r\n1,\"x, y\",\"say \"\"hi\"\"\"\n,,\n\"two\nlines\",2,3");
  Record fields;
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, (Record{"a", "b", "c"}));
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, (Record{"1", "x, y", "say \"hi\""}));
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, (Record{"", "", ""}));
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, (Record{"two\nlines", "2", "3"}));
  EXPECT_EQ(reader->line(), 4u);
  EXPECT_EQ(reader->Next(fields), CsvReader::Outcome::kEnd);
}

TEST_F(CsvTest, FieldsHaveColumns) {
  const auto reader = Open("a,bc,\n\n\"x, \"\"y\"\"\",z\n");
  Record fields;
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(reader->columns(), (std::vector<uint32_t>{1, 3, 6}));
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(reader->columns(), (std::vector<uint32_t>{1, 12}));
}

TEST_F(CsvTest, EmptyLinesAreSkippedAndCounted) {
  const auto reader = Open("\n\r\na\n\n\nb\n");
  Record fields;
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(reader->line(), 3u);
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(reader->line(), 6u);
  EXPECT_EQ(reader->Next(fields), CsvReader::Outcome::kEnd);
}

TEST_F(CsvTest, AQuoteInsideAFieldIsBadAndTheNextRecordIsRead) {
  const auto reader = Open("a\"b,c\n\"x\"y,z\nfine,too\n\"open");
  Record fields;
  EXPECT_EQ(reader->Next(fields), CsvReader::Outcome::kBadRecord);
  EXPECT_EQ(reader->line(), 1u);
  EXPECT_EQ(reader->Next(fields), CsvReader::Outcome::kBadRecord);
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, (Record{"fine", "too"}));
  EXPECT_EQ(reader->Next(fields), CsvReader::Outcome::kBadRecord);
  EXPECT_EQ(reader->error(), "a quoted field does not end");
}

TEST_F(CsvTest, ARecordIsBounded) {
  const auto reader = Open(std::string(CsvReader::kRecordBytesMax + 10, 'x') + "\nnext\n");
  Record fields;
  EXPECT_EQ(reader->Next(fields), CsvReader::Outcome::kBadRecord);
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, (Record{"next"}));
}

TEST_F(CsvTest, WhatIsWrittenIsReadBack) {
  const Record record = {"plain", "com,ma", "quo\"te", "new\nline", "car\rriage", ""};
  std::string text;
  for (size_t i = 0; i < record.size(); ++i) {
    if (i > 0) text += ',';
    AppendCsvField(record[i], text);
  }
  const auto reader = Open(text + "\n");
  Record fields;
  ASSERT_EQ(reader->Next(fields), CsvReader::Outcome::kRecord);
  EXPECT_EQ(fields, record);
}

TEST(ProtocolTest, NamesNumbersAndIcmpTypes) {
  EXPECT_EQ(ParseProtocol("TCP")->number, 6);
  EXPECT_EQ(ParseProtocol("udp")->number, 17);
  EXPECT_EQ(ParseProtocol("SCTP")->number, 132);
  EXPECT_EQ(ParseProtocol("47")->number, 47);
  EXPECT_EQ(ParseProtocol("ICMPv6")->number, 58);
  EXPECT_FALSE(ParseProtocol("ICMP")->icmp_type.has_value());
  EXPECT_EQ(ParseProtocol("ICMP/8")->icmp_type, 8);
  EXPECT_EQ(ParseProtocol("icmpv6/128")->icmp_type, 128);
  for (const char* bad : {"", "256", "-1", "TCP/8", "ICMP/", "ICMP/256", "ICMP/x", "GRE", " TCP",
                          "0x6", "99999999999"}) {
    EXPECT_FALSE(ParseProtocol(bad).has_value()) << bad;
  }
}

TEST(ProtocolTest, NeighbourDiscoveryIsLinkControl) {
  const IpAddress global = *ParseIpAddress("2001:db8::1");
  const IpAddress link_local = *ParseIpAddress("fe80::1");
  const auto control = [](const char* text, const IpAddress& src) {
    return IsLinkControl(*ParseProtocol(text), src);
  };
  EXPECT_TRUE(control("ICMPv6/135", global));
  EXPECT_TRUE(control("ICMPv6/143", global));
  EXPECT_FALSE(control("ICMPv6/128", global));
  EXPECT_FALSE(control("ICMPv6", global));
  EXPECT_FALSE(control("ICMPv6/134", global));
  EXPECT_TRUE(control("ICMPv6/134", link_local));
  EXPECT_FALSE(control("ICMP/135", *ParseIpAddress("10.0.0.1")));
}

TEST(OutputTest, JsonStringsAreAlwaysValid) {
  EXPECT_EQ(JsonString("a\"b\\c\n\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"");
  EXPECT_EQ(JsonString("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
  EXPECT_EQ(JsonString("\xff\xc0\xaf"), "\"\\ufffd\\ufffd\\ufffd\"");  // overlong
  EXPECT_EQ(JsonString("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");  // surrogate
  EXPECT_EQ(JsonString("\xe2\x82"), "\"\\ufffd\\ufffd\"");             // cut
}

TEST(OutputTest, TablesAlign) {
  Table table({"name", ">count", "last"});
  table.AddRow({"a", "1", "x"});
  table.AddRow({"longer", "1000", ""});
  EXPECT_EQ(table.Text(), "name    count  last\na           1  x\nlonger   1000\n");
}

}  // namespace
}  // namespace npf::tools

#include <gtest/gtest.h>

#include "unit/capture_builder.h"

namespace npf::testing {
namespace {

const std::vector<uint8_t> kData = {1, 2, 3, 4, 5};
constexpr uint64_t kSecondNs = 1'000'000'000;

TEST(PcapngTest, SectionsInBothByteOrders) {
  FileBuilder big(true);
  big.Section().Interface(101).EnhancedPacket(0, 5'000'000, kData);
  FileBuilder file;
  file.Section().Interface(1).EnhancedPacket(0, 4'000'001, kData, 60).Raw(big.bytes());
  const ReadCapture read = ReadAll(file.bytes());
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.packets.size(), 2u);
  EXPECT_EQ(read.packets[0].link, LinkLayer::kEthernet);
  EXPECT_EQ(read.packets[0].time_ns, 4 * kSecondNs + 1000);
  EXPECT_EQ(read.packets[0].wire_length, 60u);
  EXPECT_EQ(read.data[0], kData);
  EXPECT_EQ(read.packets[1].link, LinkLayer::kRawIp);
  EXPECT_EQ(read.packets[1].number, 2u);
  EXPECT_EQ(read.packets[1].time_ns, 5 * kSecondNs);
}

TEST(PcapngTest, ASectionForgetsInterfaces) {
  FileBuilder file;
  file.Section().Interface(1).Section().EnhancedPacket(0, 0, kData);
  EXPECT_EQ(ReadAll(file.bytes()).error,
            "packet 1 at offset 76: interface 0 is not described; the section describes 0");
}

TEST(PcapngTest, TimeResolutionAndOffset) {
  const auto time_of = [](uint8_t resolution, int64_t offset, uint64_t units) {
    FileBuilder options;
    options.U16(9).U16(1).U8(resolution).PadTo4();
    options.U16(14).U16(8).U64(static_cast<uint64_t>(offset)).U16(0).U16(0);
    FileBuilder file;
    file.Section().Interface(1, 0, options.bytes()).EnhancedPacket(0, units, kData);
    const ReadCapture read = ReadAll(file.bytes());
    EXPECT_EQ(read.error, "");
    return read.packets.empty() ? 0 : read.packets[0].time_ns;
  };
  EXPECT_EQ(time_of(9, 0, 1234567890123456789), 1234567890123456789u);
  EXPECT_EQ(time_of(6, 0, 1'000'001), kSecondNs + 1000);
  EXPECT_EQ(time_of(0, 0, 7), 7 * kSecondNs);
  EXPECT_EQ(time_of(12, 0, 1'500'000'000'000), kSecondNs + kSecondNs / 2);
  EXPECT_EQ(time_of(0x80 | 10, 0, 1536), kSecondNs + kSecondNs / 2);
  EXPECT_EQ(time_of(6, 100, 1'000'000), 101 * kSecondNs);
  EXPECT_EQ(time_of(6, -100, 1'000'000), 0u);
  EXPECT_EQ(time_of(0, 0, ~uint64_t{0}), ~uint64_t{0});
}

TEST(PcapngTest, OtherPacketBlocks) {
  FileBuilder obsolete;
  obsolete.U16(1).U16(0).U32(0).U32(3'000'000).U32(5).U32(9).Raw(kData).PadTo4();
  FileBuilder simple;
  simple.U32(9).Raw({9, 8, 7, 6});
  FileBuilder file;
  file.Section().Interface(1, 4).Interface(113).Block(2, obsolete).Block(3, simple);
  const ReadCapture read = ReadAll(file.bytes());
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.packets.size(), 2u);
  EXPECT_EQ(read.packets[0].link, LinkLayer::kLinuxSll);
  EXPECT_EQ(read.packets[0].wire_length, 9u);
  EXPECT_EQ(read.packets[1].link, LinkLayer::kEthernet);
  EXPECT_EQ(read.data[1], (std::vector<uint8_t>{9, 8, 7, 6}));  // the interface's snap length
  EXPECT_EQ(read.packets[1].wire_length, 9u);
  EXPECT_EQ(read.packets[1].time_ns, 3 * kSecondNs);  // it has no time of its own
}

TEST(PcapngTest, OtherBlocksAreSkippedUnread) {
  FileBuilder secrets;
  secrets.U32(0x544c534b).U32(4).Raw({'k', 'e', 'y', '!'});
  FileBuilder huge;
  huge.Raw(std::vector<uint8_t>(1'000'000));
  FileBuilder file;
  file.Section().Interface(1).Block(10, secrets).Block(5, huge).Block(0xbad, huge);
  file.EnhancedPacket(0, 0, kData);
  const ReadCapture read = ReadAll(file.bytes());
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.packets.size(), 1u);
}

TEST(PcapngTest, AnUnreadLinkTypeIsToldWhereAPacketHasIt) {
  FileBuilder file;
  file.Section().Interface(1).Interface(9).EnhancedPacket(0, 0, kData);
  EXPECT_EQ(ReadAll(file.bytes()).error, "");
  file.EnhancedPacket(1, 0, kData);
  const ReadCapture read = ReadAll(file.bytes());
  EXPECT_EQ(read.packets.size(), 1u);
  EXPECT_NE(read.error.find("packet 2 at offset 108: link type 9 (PPP)"), std::string::npos)
      << read.error;
}

TEST(PcapngTest, BlockLengths) {
  const auto error = [](uint32_t length, uint32_t trailer, size_t body) {
    FileBuilder file;
    file.Section().Interface(1).U32(6).U32(length).Raw(std::vector<uint8_t>(body)).U32(trailer);
    return ReadAll(file.bytes()).error;
  };
  EXPECT_NE(error(0, 0, 0).find("block length 0"), std::string::npos);
  EXPECT_NE(error(11, 11, 0).find("block length 11"), std::string::npos);
  EXPECT_NE(error(34, 34, 22).find("block length 34"), std::string::npos);
  EXPECT_NE(error(0x7ffffffc, 0, 0).find("length 2147483644"), std::string::npos);
  EXPECT_NE(error(32, 36, 20).find("block length 32"), std::string::npos);
  EXPECT_NE(error(12, 12, 0).find("body length 0"), std::string::npos);
}

TEST(PcapngTest, CapturedLengths) {
  const auto error = [](uint32_t captured, uint32_t wire) {
    FileBuilder body;
    body.U32(0).U32(0).U32(0).U32(captured).U32(wire).Raw(std::vector<uint8_t>(8));
    FileBuilder file;
    file.Section().Interface(1).Block(6, body);
    return ReadAll(file.bytes()).error;
  };
  EXPECT_EQ(error(8, 8), "");
  EXPECT_NE(error(9, 9).find("captured length 9"), std::string::npos);
  EXPECT_NE(error(0xfffffff0, 0xffffffff).find("captured length"), std::string::npos);
  EXPECT_NE(error(8, 7).find("own length 7"), std::string::npos);
}

TEST(PcapngTest, BadOptions) {
  const auto error = [](const std::vector<uint8_t>& options) {
    return ReadAll(FileBuilder().Section().Interface(1, 0, options).bytes()).error;
  };
  EXPECT_EQ(error({2, 0, 3, 0, 'e', 't', 'h', 0}), "");
  EXPECT_NE(error({2, 0, 5, 0, 'e', 't', 'h', 0}).find("past the end"), std::string::npos);
  EXPECT_NE(error({9, 0, 2, 0, 6, 6, 0, 0}).find("if_tsresol has length 2"), std::string::npos);
  EXPECT_NE(error({9, 0, 1, 0, 20, 0, 0, 0}).find("too fine"), std::string::npos);
  EXPECT_NE(error({9, 0, 1, 0, 0xc0, 0, 0, 0}).find("too fine"), std::string::npos);
  EXPECT_NE(error({14, 0, 4, 0, 6, 6, 0, 0}).find("if_tsoffset has length 4"), std::string::npos);
}

TEST(PcapngTest, Sections) {
  FileBuilder version;
  version.U32(0x1a2b3c4d).U16(2).U16(0).U64(0);
  EXPECT_NE(ReadAll(FileBuilder().Block(0x0a0d0d0a, version).bytes()).error.find("version 2.0"),
            std::string::npos);
  FileBuilder magic;
  magic.U32(0x1a2b3c4e).U16(1).U16(0).U64(0);
  EXPECT_NE(ReadAll(FileBuilder().Block(0x0a0d0d0a, magic).bytes()).error.find("magic"),
            std::string::npos);
}

// Whatever is cut off, the packets before it are there.
TEST(PcapngTest, EveryTruncation) {
  FileBuilder file;
  file.Section().Interface(1);
  const size_t packets_begin = file.bytes().size();
  file.EnhancedPacket(0, 0, kData);
  const size_t second_begin = file.bytes().size();
  file.EnhancedPacket(0, 0, kData);
  for (size_t cut = 0; cut < file.bytes().size(); ++cut) {
    const std::vector<uint8_t> part(file.bytes().begin(),
                                    file.bytes().begin() + static_cast<long>(cut));
    const ReadCapture read = ReadAll(part);
    EXPECT_EQ(read.packets.size(), cut < second_begin ? 0u : 1u) << cut;
    const bool at_block_end = cut == 28 || cut == packets_begin || cut == second_begin;
    EXPECT_EQ(read.error.empty(), at_block_end) << cut;
  }
}

}  // namespace
}  // namespace npf::testing

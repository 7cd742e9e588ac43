#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>

#include "unit/capture_builder.h"

namespace npf::testing {
namespace {

using ::testing::TempDir;

const std::vector<uint8_t> kData = {1, 2, 3, 4, 5};
constexpr uint64_t kSecondNs = 1'000'000'000;

TEST(PcapTest, BothByteOrdersAndBothResolutions) {
  for (const bool big : {false, true}) {
    for (const bool nanoseconds : {false, true}) {
      FileBuilder file(big);
      file.PcapHeader(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4)
          .PcapRecord(7, 123, kData)
          .PcapRecord(0xffffffff, 999'999, {}, 60);
      const ReadCapture read = ReadAll(file.bytes());
      EXPECT_EQ(read.error, "");
      ASSERT_EQ(read.packets.size(), 2u);
      EXPECT_EQ(read.data[0], kData);
      EXPECT_EQ(read.packets[0].number, 1u);
      EXPECT_EQ(read.packets[0].time_ns, 7 * kSecondNs + (nanoseconds ? 123 : 123'000));
      EXPECT_EQ(read.packets[0].wire_length, 5u);
      EXPECT_EQ(read.packets[1].wire_length, 60u);
      EXPECT_EQ(read.packets[1].time_ns,
                0xffffffff * kSecondNs + (nanoseconds ? 999'999 : 999'999'000));
      EXPECT_EQ(read.counts.snapped, 1u);
    }
  }
}

TEST(PcapTest, HeadersThatAreRefused) {
  const auto error = [](const std::vector<uint8_t>& file) { return ReadAll(file).error; };
  EXPECT_NE(error({}).find("empty"), std::string::npos);
  const std::vector<uint8_t> header = FileBuilder().PcapHeader().bytes();
  for (long cut = 1; cut < 24; ++cut) {
    EXPECT_NE(error({header.begin(), header.begin() + cut}).find("too short"), std::string::npos);
  }
  EXPECT_EQ(error(header), "");
  EXPECT_NE(error(FileBuilder().PcapHeader(0xa1b2cd34).bytes()).find("Kuznetzov"),
            std::string::npos);
  EXPECT_NE(error(FileBuilder().PcapHeader(0xdeadbeef).bytes()).find("0xefbeadde"),
            std::string::npos);
  EXPECT_NE(error(FileBuilder().PcapHeader(0xfd2fb528).bytes()).find("zstd -d"), std::string::npos);
  EXPECT_NE(error(FileBuilder().PcapHeader(0xa1b2c3d4, 105).bytes()).find("IEEE802_11"),
            std::string::npos);
  EXPECT_NE(error(FileBuilder().PcapHeader(0xa1b2c3d4, 147).bytes()).find("LINUX_SLL2"),
            std::string::npos);
  EXPECT_NE(error(FileBuilder().U32(0xa1b2c3d4).U16(2).U16(3).Raw(std::vector<uint8_t>(16)).bytes())
                .find("version 2.3"),
            std::string::npos);
}

TEST(PcapTest, LinkTypes) {
  const std::pair<uint32_t, LinkLayer> kTypes[] = {
      {0, LinkLayer::kNull},        {1, LinkLayer::kEthernet},         {12, LinkLayer::kRawIp},
      {14, LinkLayer::kRawIp},      {101, LinkLayer::kRawIp},          {108, LinkLayer::kLoop},
      {113, LinkLayer::kLinuxSll},  {228, LinkLayer::kRawIp},          {229, LinkLayer::kRawIp},
      {276, LinkLayer::kLinuxSll2}, {0x5c000001, LinkLayer::kEthernet}};  // with an FCS
  for (const auto& [type, layer] : kTypes) {
    const ReadCapture read =
        ReadAll(FileBuilder().PcapHeader(0xa1b2c3d4, type).PcapRecord(1, 0, kData).bytes());
    ASSERT_EQ(read.packets.size(), 1u) << type;
    EXPECT_EQ(read.packets[0].link, layer) << type;
  }
}

TEST(PcapTest, BadRecordsAreToldByNumberAndOffset) {
  FileBuilder good;
  good.PcapHeader(0xa1b2c3d4, 1, 100).PcapRecord(1, 0, kData);
  const auto error_after = [&](uint32_t captured, uint32_t wire, size_t present) {
    FileBuilder file = good;
    file.U32(2).U32(0).U32(captured).U32(wire).Raw(std::vector<uint8_t>(present));
    const ReadCapture read = ReadAll(file.bytes());
    EXPECT_EQ(read.packets.size(), 1u);
    return read.error;
  };
  const std::string kWhere = "packet 2 at offset 45: ";
  EXPECT_EQ(error_after(101, 200, 101),
            kWhere + "captured length 101 is over the 100 bytes that the capture allows");
  EXPECT_EQ(error_after(0xffffffff, 0xffffffff, 0),
            kWhere + "captured length 4294967295 is over the 100 bytes that the capture allows");
  EXPECT_EQ(error_after(60, 59, 60),
            kWhere + "captured length 60 is over the packet's own length 59");
  EXPECT_EQ(error_after(60, 60, 59),
            kWhere + "the file ends within the packet (59 of 60 bytes): it is truncated");
  for (size_t cut = 1; cut < 16; ++cut) {
    FileBuilder file = good;
    file.Raw(std::vector<uint8_t>(cut));
    EXPECT_NE(ReadAll(file.bytes()).error.find(kWhere + "the record header is truncated"),
              std::string::npos);
  }
}

TEST(PcapTest, NoSnapLengthAllowsTheLongestPacketAndNoMore) {
  for (const uint32_t snap_length : {0u, 0xffffffffu}) {
    FileBuilder file;
    file.PcapHeader(0xa1b2c3d4, 1, snap_length)
        .PcapRecord(1, 0, std::vector<uint8_t>(capture::kPacketBytesMax))
        .PcapRecord(1, 0, std::vector<uint8_t>(capture::kPacketBytesMax + 1));
    const ReadCapture read = ReadAll(file.bytes());
    EXPECT_EQ(read.packets.size(), 1u);
    EXPECT_NE(read.error.find("262145"), std::string::npos);
  }
}

TEST(PcapTest, TheClockNeverGoesBack) {
  FileBuilder file;
  file.PcapHeader()
      .PcapRecord(9, 0, kData)
      .PcapRecord(5, 0, kData)
      .PcapRecord(6, 0, kData)
      .PcapRecord(10, 0, kData);
  const ReadCapture read = ReadAll(file.bytes());
  ASSERT_EQ(read.packets.size(), 4u);
  EXPECT_EQ(read.packets[1].time_ns, 9 * kSecondNs);
  EXPECT_EQ(read.packets[1].stamp_ns, 5 * kSecondNs);
  EXPECT_EQ(read.packets[2].time_ns, 9 * kSecondNs);
  EXPECT_EQ(read.packets[3].time_ns, 10 * kSecondNs);
  EXPECT_EQ(read.counts.time_backwards, 2u);
  ASSERT_EQ(read.warnings.size(), 1u);
  EXPECT_NE(read.warnings[0].find("packet 2 is earlier"), std::string::npos);
}

TEST(PcapTest, FractionsOfASecondOrMore) {
  const ReadCapture read =
      ReadAll(FileBuilder().PcapHeader().PcapRecord(1, 1'500'000, kData).bytes());
  ASSERT_EQ(read.packets.size(), 1u);
  EXPECT_EQ(read.packets[0].time_ns, 2 * kSecondNs + kSecondNs / 2);
  EXPECT_EQ(read.counts.time_invalid, 1u);
  EXPECT_EQ(read.warnings.size(), 1u);
}

TEST(PcapTest, GzipIsReadAsItIs) {
  FileBuilder file;
  file.PcapHeader().PcapRecord(1, 0, kData).PcapRecord(2, 0, std::vector<uint8_t>(3000, 7));
  const std::string path = TempDir() + "/capture_test.pcap.gz";
  const gzFile gzip = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(gzip, file.bytes().data(), static_cast<unsigned>(file.bytes().size())),
            static_cast<int>(file.bytes().size()));
  gzclose(gzip);
  EXPECT_EQ(ReadAllOf(path).packets.size(), 2u);
  ASSERT_EQ(truncate(path.c_str(), 40), 0);
  const ReadCapture cut = ReadAllOf(path);
  EXPECT_NE(cut.error.find("gzip"), std::string::npos) << cut.error;
  std::remove(path.c_str());
}

TEST(PcapTest, AFileThatIsNotThereIsNotBadInput) {
  const auto reader = capture::OpenCapture(TempDir() + "/no/such/capture.pcap");
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace npf::testing

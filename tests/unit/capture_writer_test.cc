#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "capture/writer.h"
#include "unit/capture_builder.h"

namespace npf::testing {
namespace {

const std::vector<uint8_t> kData = {1, 2, 3, 4, 5};

class CaptureWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/writer_test." + std::to_string(getpid()) + ".pcapng";
    auto writer = capture::CaptureWriter::Create(path_);
    ASSERT_TRUE(writer.ok());
    writer_ = std::move(*writer);
  }
  void TearDown() override { std::remove(path_.c_str()); }

  void Write(uint32_t link_type, uint64_t stamp_ns, bool allowed, const std::string& comment) {
    capture::CapturePacket packet;
    packet.link_type = link_type;
    packet.stamp_ns = stamp_ns;
    packet.wire_length = 60;
    packet.data = kData;
    ASSERT_TRUE(writer_->Write(packet, allowed, comment).ok());
  }

  std::string path_;
  std::unique_ptr<capture::CaptureWriter> writer_;
};

TEST_F(CaptureWriterTest, WhatIsWrittenIsReadAgain) {
  Write(1, 1'700'000'000'123'456'789, true, "");
  Write(113, 5, false, "npf: deny: policy");
  Write(1, 0xffffffffffffffff, false, std::string(70'000, 'x'));
  ASSERT_TRUE(writer_->Close().ok());
  const ReadCapture read = ReadAllOf(path_);
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.packets.size(), 3u);
  EXPECT_EQ(read.packets[0].stamp_ns, 1'700'000'000'123'456'789u);
  EXPECT_EQ(read.packets[0].wire_length, 60u);
  EXPECT_EQ(read.data[0], kData);
  EXPECT_EQ(read.packets[1].link, LinkLayer::kLinuxSll);
  EXPECT_EQ(read.packets[1].stamp_ns, 5u);
  EXPECT_EQ(read.packets[2].link, LinkLayer::kEthernet);
}

std::string OutputOf(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> buffer;
  while (fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) output += buffer.data();
  return output;
}

TEST_F(CaptureWriterTest, TsharkFiltersByVerdictAndComment) {
  if (OutputOf("command -v tshark").empty()) GTEST_SKIP() << "needs tshark";
  Write(1, 1, true, "");
  Write(1, 2, false, "npf: deny: no_state");
  Write(1, 3, false, "npf: deny: policy");
  ASSERT_TRUE(writer_->Close().ok());
  const auto numbers = [this](const std::string& filter) {
    return OutputOf("tshark -r " + path_ + " -Y '" + filter +
                    "' -T fields -e frame.number 2>/dev/null");
  };
  EXPECT_EQ(numbers("frame.comment contains \"policy\""), "3\n");
  EXPECT_EQ(numbers("frame.verdict.ebpf_xdp == 1"), "2\n3\n");
  EXPECT_EQ(numbers("frame.verdict.ebpf_xdp == 2"), "1\n");
}

TEST(CaptureWriterFailureTest, ADirectoryThatIsNotThere) {
  const auto writer = capture::CaptureWriter::Create("/no/such/directory/x.pcapng");
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kNotFound);
}

TEST(CaptureWriterFailureTest, AFullDiskIsTold) {
  auto writer = capture::CaptureWriter::Create("/dev/full");
  ASSERT_TRUE(writer.ok());
  EXPECT_FALSE((*writer)->Close().ok());
}

}  // namespace
}  // namespace npf::testing

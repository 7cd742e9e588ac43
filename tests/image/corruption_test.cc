// An image that was damaged, cut, or written by an enemy is refused, or is harmless: nothing that
// FromImage accepts can make a look-up read outside it. Run under AddressSanitizer this is a proof
// by trial; the verifier's own checks make it one by construction.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "npf/classify.h"
#include "npf/explain.h"
#include "npf/image.h"
#include "npf/version.h"
#include "program/view.h"
#include "testing/cluster.h"
#include "testing/cluster_generator.h"
#include "testing/random.h"
#include "testing/world.h"

namespace npf {
namespace {

constexpr uint64_t kSeed = 20261123;
using Bytes = std::vector<std::byte>;

Program MakeProgram(PairKind kind) {
  const auto snapshot = testing::Freeze(testing::GenerateCluster(3));
  auto program = Compile(*snapshot, {.pair_kind = kind});
  EXPECT_TRUE(program.ok()) << program.status();
  return *std::move(program);
}

Bytes ImageOf(PairKind kind) {
  const Program program = MakeProgram(kind);
  const auto image = program.image();
  return {image.begin(), image.end()};
}

layout::ImageHeader& HeaderOf(Bytes& bytes) {
  return *reinterpret_cast<layout::ImageHeader*>(bytes.data());
}

layout::SectionEntry& SectionOf(Bytes& bytes, uint32_t id) {
  return reinterpret_cast<layout::SectionEntry*>(bytes.data() + sizeof(layout::ImageHeader))[id];
}

void RepairChecksum(Bytes& bytes) { HeaderOf(bytes).checksum = ImageChecksum(bytes); }

// Every look-up there is, over addresses of all kinds.
void Use(const Program& program) {
  testing::Random random(kSeed);
  std::vector<FlowKey> keys(130);
  for (FlowKey& key : keys) {
    auto* bytes = reinterpret_cast<uint8_t*>(&key);
    for (size_t i = 0; i < sizeof key; ++i) bytes[i] = static_cast<uint8_t>(random.Below(256));
    key.family = random.Below(2) == 0 ? 4 : 6;
    key.protocol = random.Below(2) == 0 ? kProtocolTcp : kProtocolIcmp;
  }
  const auto endpoints = program.view().Section<layout::Endpoint>(layout::kEndpoints);
  for (size_t i = 0; i < keys.size() && !endpoints.empty(); i += 2) {
    std::memcpy(keys[i].dst, endpoints[i % endpoints.size()].address, 16);
  }
  std::vector<Verdict> verdicts(keys.size());
  Classify(program, {.deny_unknown_pod = true}, keys, verdicts);
  for (size_t i = 0; i < keys.size(); i += 13) Format(Explain(program, {}, keys[i]));
}

void ExpectRefusedOrHarmless(const Bytes& bytes) {
  const auto program = Program::FromImage(bytes);
  if (program.ok()) Use(*program);
}

class Corruption : public ::testing::TestWithParam<PairKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Corruption,
                         ::testing::Values(PairKind::kDense, PairKind::kTiled, PairKind::kHash));

TEST_P(Corruption, AWholeImageLoadsToTheSameBytes) {
  const Bytes bytes = ImageOf(GetParam());
  const auto program = Program::FromImage(bytes);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), program->image().begin()));
  Use(*program);
}

TEST_P(Corruption, EveryChangedByteOfHeadersAndOneInEveryLineIsRefused) {
  Bytes bytes = ImageOf(GetParam());
  const size_t headers =
      sizeof(layout::ImageHeader) + layout::kSectionCount * sizeof(layout::SectionEntry);
  testing::Random random(kSeed);
  for (size_t at = 0; at < bytes.size(); at += at < headers ? 1 : 64) {
    const size_t where = at < headers ? at : std::min(at + random.Below(64), bytes.size() - 1);
    const std::byte was = bytes[where];
    bytes[where] ^= static_cast<std::byte>(1 + random.Below(255));
    EXPECT_FALSE(Program::FromImage(bytes).ok()) << "byte " << where;
    bytes[where] = was;
  }
}

TEST_P(Corruption, EveryTruncationAtASectionOrLineIsRefused) {
  Bytes bytes = ImageOf(GetParam());
  for (uint32_t id = 0; id < layout::kSectionCount; ++id) {
    const auto& section = SectionOf(bytes, id);
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(section.offset));
    EXPECT_FALSE(Program::FromImage(cut).ok());
  }
  for (size_t length = 0; length < bytes.size(); length += length < 4096 ? 64 : 4096) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_FALSE(Program::FromImage(cut).ok()) << length;
  }
}

// The header's length and the checksum made to fit the cut: the sections do not.
TEST_P(Corruption, ATruncationThatFixesItsHeaderIsRefused) {
  const Bytes whole = ImageOf(GetParam());
  for (size_t length = 1024; length + 64 < whole.size(); length += 64 * 37) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
    HeaderOf(cut).image_bytes = length;
    RepairChecksum(cut);
    EXPECT_FALSE(Program::FromImage(cut).ok()) << length;
  }
}

TEST_P(Corruption, HostileNumbersInHeadersAreRefusedOrHarmless) {
  Bytes bytes = ImageOf(GetParam());
  const size_t headers =
      sizeof(layout::ImageHeader) + layout::kSectionCount * sizeof(layout::SectionEntry);
  constexpr uint32_t kHostile[] = {0, 1, 2, 3, 5, 255, 65'535, 65'536, 0x7fffffff, 0xffffffff};
  for (size_t at = layout::kChecksumFrom; at < headers; at += 4) {
    uint32_t was;
    std::memcpy(&was, &bytes[at], 4);
    for (const uint32_t hostile : kHostile) {
      std::memcpy(&bytes[at], &hostile, 4);
      RepairChecksum(bytes);
      ExpectRefusedOrHarmless(bytes);
    }
    std::memcpy(&bytes[at], &was, 4);
  }
}

TEST_P(Corruption, HostileContentUnderARepairedChecksumIsRefusedOrHarmless) {
  const Bytes whole = ImageOf(GetParam());
  testing::Random random(kSeed);
  constexpr uint32_t kHostile[] = {0, 1, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000001, 0xffffffff};
  for (uint32_t id = 0; id < layout::kSectionCount; ++id) {
    Bytes bytes = whole;
    const layout::SectionEntry section = SectionOf(bytes, id);
    const size_t size = section.count * section.element_bytes;
    if (size == 0) continue;
    for (int trial = 0; trial < 40; ++trial) {
      const size_t at = section.offset + random.Below(size);
      const uint32_t value = trial % 2 == 0 ? kHostile[random.Below(std::size(kHostile))]
                                            : static_cast<uint32_t>(random.Below(1u << 20));
      const size_t width = std::min<size_t>(4, bytes.size() - at);
      std::memcpy(&bytes[at], &value, width);
      RepairChecksum(bytes);
      ExpectRefusedOrHarmless(bytes);
      std::memcpy(&bytes[at], &whole[at], width);
    }
  }
}

TEST(Image, ForeignOnesAreRefusedWithTheReason) {
  Bytes bytes = ImageOf(PairKind::kDense);
  const auto message = [&] {
    const auto program = Program::FromImage(bytes);
    return std::string(program.status().message());
  };
  HeaderOf(bytes).format_version = kImageFormatVersion + 1;
  EXPECT_EQ(message(), "image refused: image version 4, this build reads 3");
  HeaderOf(bytes).byte_order = 0x04030201;
  EXPECT_EQ(message(), "image refused: written in the other byte order");
  HeaderOf(bytes).magic[0] = 'X';
  EXPECT_EQ(message(), "image refused: not an npf image (bad magic)");
  bytes.resize(10);
  EXPECT_EQ(message().substr(0, 35), "image refused: truncated: 10 bytes,");
}

// Each search relies on what it searches: what a changed element of a section is refused with.
template <typename T>
std::string RefusalOf(PairKind kind, uint32_t section, size_t element, T value) {
  Bytes bytes = ImageOf(kind);
  const layout::SectionEntry entry = SectionOf(bytes, section);
  EXPECT_EQ(entry.element_bytes, sizeof value);
  EXPECT_LT(element, entry.count);
  std::memcpy(&bytes[entry.offset + element * sizeof value], &value, sizeof value);
  RepairChecksum(bytes);
  const auto program = Program::FromImage(bytes);
  return program.ok() ? "accepted" : std::string(program.status().message());
}

TEST(Image, NetworksOutOfOrderAreRefused) {
  const Bytes bytes = ImageOf(PairKind::kDense);
  Bytes copy = bytes;
  ASSERT_GE(SectionOf(copy, layout::kV6Highs).count, 3);
  ASSERT_GE(SectionOf(copy, layout::kV6Segments).count, 2);
  const auto lows = static_cast<uint32_t>(SectionOf(copy, layout::kV6Lows).count);
  ASSERT_GE(lows, 2);
  const auto refusal = [](uint32_t section, size_t element, auto value) {
    return RefusalOf(PairKind::kDense, section, element, value);
  };
  constexpr uint64_t kOne = 1;
  constexpr uint64_t kZero = 0;
  const std::string highs = "image refused: section v6_highs is not sorted from 0 on";
  const std::string lows_text =
      "image refused: section v6_lows is not sorted from 0 on within a segment";
  const std::string segments = "image refused: section v6_segments does not cover what it cuts";
  EXPECT_EQ(refusal(layout::kV6Highs, 0, kOne), highs);
  EXPECT_EQ(refusal(layout::kV6Highs, 2, kZero), highs);
  EXPECT_EQ(refusal(layout::kV6Lows, 0, kOne), lows_text);
  EXPECT_EQ(refusal(layout::kV6Lows, 1, kZero), lows_text);
  EXPECT_EQ(refusal(layout::kV6Segments, 0, uint32_t{1}), segments);
  EXPECT_EQ(refusal(layout::kV6Segments, SectionOf(copy, layout::kV6Segments).count - 1, lows + 1),
            segments);
}

TEST(Image, APairThatNamesNoCellIsRefused) {
  Bytes bytes = ImageOf(PairKind::kHash);
  ASSERT_GE(SectionOf(bytes, layout::kPairPlaces).count, 1);
  const layout::PairWord word = layout::PairWord::For(HeaderOf(bytes).class_count);
  EXPECT_EQ(RefusalOf(PairKind::kHash, layout::kPairPlaces, 0, word.Word(0, 0, 0)), "accepted");
  EXPECT_EQ(RefusalOf(PairKind::kHash, layout::kPairPlaces, 0,
                      word.Word(0, 0, HeaderOf(bytes).cell_count)),
            "image refused: section pair_places names no cell");
}

TEST(Image, SavedAndLoadedAgainItIsTheSame) {
  const std::string path = ::testing::TempDir() + "npf-image-" + std::to_string(getpid());
  const Program program = MakeProgram(PairKind::kHash);
  ASSERT_TRUE(SaveImage(program, path).ok());
  const auto loaded = LoadImage(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(std::equal(program.image().begin(), program.image().end(), loaded->image().begin(),
                         loaded->image().end()));
  unlink(path.c_str());
}

TEST(Image, WhatCannotBeReadOrWrittenIsSaid) {
  EXPECT_TRUE(absl::IsNotFound(LoadImage("/nonexistent/image").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadImage("/dev/zero").status()));
  EXPECT_FALSE(SaveImage(MakeProgram(PairKind::kDense), "/nonexistent/image").ok());
}

}  // namespace
}  // namespace npf

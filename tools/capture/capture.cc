#include "capture/capture.h"

#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "capture/readers.h"

namespace npf::capture {
namespace {

struct KnownLinkType {
  uint32_t number;
  const char* name;
  std::optional<LinkLayer> layer;
};

constexpr KnownLinkType kLinkTypes[] = {
    {0, "NULL", LinkLayer::kNull},
    {1, "EN10MB", LinkLayer::kEthernet},
    {12, "RAW", LinkLayer::kRawIp},
    {14, "RAW", LinkLayer::kRawIp},
    {101, "RAW", LinkLayer::kRawIp},
    {108, "LOOP", LinkLayer::kLoop},
    {113, "LINUX_SLL", LinkLayer::kLinuxSll},
    {228, "IPV4", LinkLayer::kRawIp},
    {229, "IPV6", LinkLayer::kRawIp},
    {276, "LINUX_SLL2", LinkLayer::kLinuxSll2},
    {6, "IEEE802_5", {}},
    {8, "SLIP", {}},
    {9, "PPP", {}},
    {10, "FDDI", {}},
    {50, "PPP_SERIAL", {}},
    {51, "PPP_ETHER", {}},
    {104, "C_HDLC", {}},
    {105, "IEEE802_11", {}},
    {106, "ATM_CLIP", {}},
    {107, "FRELAY", {}},
    {117, "PFLOG", {}},
    {127, "IEEE802_11_RADIO", {}},
    {143, "DOCSIS", {}},
    {147, "USER0", {}},
    {165, "BACNET_MS_TP", {}},
    {187, "BLUETOOTH_HCI_H4", {}},
    {189, "USB_LINUX", {}},
    {192, "PPI", {}},
    {195, "IEEE802_15_4", {}},
    {201, "BLUETOOTH_HCI_H4_WITH_PHDR", {}},
    {220, "USB_LINUX_MMAPPED", {}},
    {239, "NFLOG", {}},
    {249, "USBPCAP", {}},
    {253, "NETLINK", {}},
    {281, "DSA_TAG_BRCM", {}},
    {284, "DSA_TAG_DSA", {}},
    {285, "DSA_TAG_EDSA", {}},
};

const KnownLinkType* FindLinkType(uint32_t number) {
  for (const KnownLinkType& known : kLinkTypes) {
    if (known.number == number) return &known;
  }
  return nullptr;
}

std::string Compressed(const char* what, const char* tool) {
  return absl::StrCat("this is ", what, "-compressed data, which is not read; decompress it with `",
                      tool, "` first (gzip is read as it is)");
}

// What the file is instead, where its first bytes tell.
absl::Status UnknownMagic(uint32_t magic) {
  if (magic == 0xa1b2cd34 || magic == 0x34cdb2a1) {
    return absl::InvalidArgumentError(
        "this is a modified (Kuznetzov) pcap, magic 0xa1b2cd34, which is not read; rewrite it with "
        "`editcap -F pcap`");
  }
  if (magic == 0x28b52ffd) return absl::InvalidArgumentError(Compressed("zstd", "zstd -d"));
  if (magic == 0xfd377a58) return absl::InvalidArgumentError(Compressed("xz", "xz -d"));
  if (magic == 0x04224d18) return absl::InvalidArgumentError(Compressed("lz4", "lz4 -d"));
  if (magic >> 8 == 0x425a68) return absl::InvalidArgumentError(Compressed("bzip2", "bzip2 -d"));
  return absl::InvalidArgumentError(absl::StrCat("the magic number 0x",
                                                 absl::Hex(magic, absl::kZeroPad8),
                                                 " is not that of a pcap or pcapng capture"));
}

}  // namespace

std::optional<LinkLayer> LinkLayerOf(uint32_t link_type) {
  const KnownLinkType* known = FindLinkType(link_type);
  return known == nullptr ? std::nullopt : known->layer;
}

std::string LinkTypeName(uint32_t link_type) {
  const KnownLinkType* known = FindLinkType(link_type);
  return known == nullptr ? absl::StrCat(link_type) : known->name;
}

std::string UnsupportedLinkType(uint32_t link_type) {
  const KnownLinkType* known = FindLinkType(link_type);
  return absl::StrCat(
      "link type ", link_type, known == nullptr ? "" : " (", known == nullptr ? "" : known->name,
      known == nullptr ? "" : ")",
      " is not read; EN10MB, RAW, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, NULL and LOOP are");
}

absl::StatusOr<bool> CaptureReader::Next(CapturePacket& packet) {
  StartRecord();
  const absl::StatusOr<bool> read = ReadPacket(packet);
  if (!read.ok() || !*read) return read;
  const std::optional<LinkLayer> link = LinkLayerOf(packet.link_type);
  if (!link.has_value()) return RecordError(UnsupportedLinkType(packet.link_type));
  packet.link = *link;
  packet.number = ++counts_.packets;
  if (packet.data.size() < packet.wire_length) ++counts_.snapped;
  CheckClock(packet);
  return true;
}

void CaptureReader::CheckClock(CapturePacket& packet) {
  packet.time_ns = packet.stamp_ns;
  if (packet.stamp_ns < latest_ns_) {
    packet.time_ns = latest_ns_;
    if (++counts_.time_backwards == 1) {
      warnings_.push_back(absl::StrCat("packet ", packet.number,
                                       " is earlier than the one before it; such packets are given "
                                       "the latest time seen before them"));
    }
  }
  latest_ns_ = packet.time_ns;
}

void CaptureReader::CountInvalidTime() {
  if (++counts_.time_invalid == 1) {
    warnings_.push_back(absl::StrCat("packet ", counts_.packets + 1,
                                     " has a timestamp whose fraction is a second or more; it is "
                                     "added to the seconds"));
  }
}

std::vector<std::string> CaptureReader::TakeWarnings() { return std::exchange(warnings_, {}); }

absl::Status CaptureReader::RecordError(const std::string& text) const {
  return absl::InvalidArgumentError(
      absl::StrCat("packet ", counts_.packets + 1, " at offset ", record_offset_, ": ", text));
}

absl::StatusOr<std::unique_ptr<CaptureReader>> OpenCapture(std::unique_ptr<ByteSource> source) {
  std::array<uint8_t, 4> bytes{};
  const absl::StatusOr<size_t> got = source->Read(bytes.data(), bytes.size());
  if (!got.ok()) return got.status();
  if (*got == 0) return absl::InvalidArgumentError("the file is empty; a capture has a header");
  if (*got < bytes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file is too short for a capture (", *got, " bytes)"));
  }
  const uint32_t magic = ByteOrder{.big = true}.U32(bytes.data());
  if (magic == kPcapngMagic) return OpenPcapng(std::move(source));
  for (const bool big : {false, true}) {
    const uint32_t value = ByteOrder{big}.U32(bytes.data());
    if (value == kPcapMagicMicro) return OpenPcap(std::move(source), ByteOrder{big}, false);
    if (value == kPcapMagicNano) return OpenPcap(std::move(source), ByteOrder{big}, true);
  }
  return UnknownMagic(magic);
}

absl::StatusOr<std::unique_ptr<CaptureReader>> OpenCapture(const std::string& path) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source = OpenSource(path);
  if (!source.ok()) return source.status();
  return OpenCapture(std::move(*source));
}

}  // namespace npf::capture

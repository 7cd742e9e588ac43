// An image with a right checksum and hostile content: a real one, changed in places that the input
// names. What is accepted must answer every question without harm. An odd first byte means that the
// input itself is the image.
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "fuzz/fuzz.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "npf/explain.h"
#include "npf/load.h"
#include "program/layout.h"

namespace {

using npf::fuzzing::Expect;

constexpr char kObjects[] = R"({"kind":"List","apiVersion":"v1","items":[
{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"spec":{"podCIDRs":["10.0.0.0/16","fd00::/64"]},
 "status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"x","labels":{"app":"a"}},
 "spec":{"nodeName":"n"},"status":{"podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","namespace":"x","labels":{"app":"b"}},
 "spec":{"containers":[{"name":"c","ports":[{"name":"web","containerPort":8080}]}]},
 "status":{"podIPs":[{"ip":"10.0.0.2"},{"ip":"fd00::2"}]}},
{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p","namespace":"x"},
 "spec":{"podSelector":{"matchLabels":{"app":"b"}},"policyTypes":["Ingress","Egress"],
 "ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"a"}}},
   {"ipBlock":{"cidr":"198.51.100.0/24","except":["198.51.100.128/25"]}}],
   "ports":[{"port":"web"},{"port":53,"endPort":60,"protocol":"UDP"}]}],
 "egress":[{"to":[{"ipBlock":{"cidr":"2001:db8::/32"}}]}]}}]})";

std::vector<std::byte> MakeImage() {
  npf::SnapshotBuilder builder;
  npf::Diagnostics diagnostics;
  npf::LoadReport report;
  npf::LoadText(kObjects, "fuzz.json", {}, builder, diagnostics, report);
  const auto snapshot = builder.Build(diagnostics);
  Expect(snapshot.ok(), "the objects of the harness are valid");
  const auto program = npf::Compile(*snapshot);
  Expect(program.ok(), "the objects of the harness compile");
  return {program->image().begin(), program->image().end()};
}

// Eight bytes each: the section (beyond the last: header and section table), two bytes of place in
// units of four, and the new value of four bytes at it; the eighth is the place's last bits.
void Apply(const uint8_t* data, size_t size, std::vector<std::byte>& image) {
  namespace layout = npf::layout;
  for (; size >= 8; data += 8, size -= 8) {
    const uint32_t section = data[0] % (layout::kSectionCount + 8);
    uint64_t begin = 0;
    uint64_t length =
        sizeof(layout::ImageHeader) + layout::kSectionCount * sizeof(layout::SectionEntry);
    if (section < layout::kSectionCount) {
      layout::SectionEntry entry;
      std::memcpy(&entry, image.data() + sizeof(layout::ImageHeader) + section * sizeof(entry),
                  sizeof(entry));
      const uint64_t bytes = entry.count * entry.element_bytes;
      if (entry.offset < image.size() && bytes <= image.size() - entry.offset && bytes > 0) {
        begin = entry.offset;
        length = bytes;
      }
    }
    const uint64_t place = (uint64_t{data[1]} << 8 | data[2]) * 4 + data[7] % 4;
    const uint64_t at = begin + place % length;
    std::memcpy(image.data() + at, data + 3, std::min<size_t>(4, image.size() - at));
  }
}

void RepairChecksum(std::vector<std::byte>& image) {
  const uint64_t checksum =
      npf::Checksum64(std::span<const std::byte>(image).subspan(npf::layout::kChecksumFrom));
  std::memcpy(image.data() + offsetof(npf::layout::ImageHeader, checksum), &checksum,
              sizeof(checksum));
}

void AskEverything(const npf::Program& program) {
  static constexpr const char* kAddresses[] = {
      "10.0.0.1",        "10.0.0.2", "10.0.9.9", "192.0.2.1", "198.51.100.7", "198.51.100.200",
      "255.255.255.255", "fd00::1",  "fd00::2",  "fd00::9",   "2001:db8::1",  "::"};
  std::vector<npf::FlowKey> keys;
  for (const char* src : kAddresses) {
    for (const char* dst : kAddresses) {
      for (const uint8_t protocol : {npf::kProtocolTcp, npf::kProtocolUdp, npf::kProtocolIcmp}) {
        for (const uint16_t port : {uint16_t{0}, uint16_t{53}, uint16_t{8080}, uint16_t{65535}}) {
          keys.push_back(npf::MakeFlowKey(*npf::ParseIpAddress(src), *npf::ParseIpAddress(dst),
                                          protocol, port));
        }
      }
    }
  }
  std::vector<npf::Verdict> verdicts(keys.size());
  for (const npf::Placement placement : {npf::Placement::kOffline, npf::Placement::kNodeWire}) {
    npf::ClassifyOptions options;
    options.placement = placement;
    npf::Classify(program, options, keys, verdicts);
    options.directions = npf::DirectionMask::kIngress;
    npf::Classify(program, options, keys, verdicts);
  }
  for (size_t i = 0; i < keys.size(); i += 97) npf::Explain(program, {}, keys[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::byte>& good = *new std::vector<std::byte>(MakeImage());
  if (size == 0) return 0;
  std::vector<std::byte> image;
  if (data[0] % 2 == 1) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    image.assign(bytes + 1, bytes + size);
  } else {
    image = good;
    Apply(data + 1, size - 1, image);
    RepairChecksum(image);
  }
  const auto program = npf::Program::FromImage(image);
  if (program.ok()) AskEverything(*program);
  return 0;
}

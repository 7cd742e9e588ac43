// A capture file: whatever it is, it is read to an end or an error, and its packets are parsed.
#include <vector>

#include "capture/capture.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using npf::fuzzing::Expect;
  auto reader = npf::capture::OpenCapture(npf::capture::MemorySource({data, size}));
  if (!reader.ok()) {
    Expect(!reader.status().message().empty(), "an error says what is wrong");
    return 0;
  }
  npf::capture::CapturePacket packet;
  uint64_t latest_ns = 0;
  uint64_t count = 0;
  while (true) {
    const auto more = (*reader)->Next(packet);
    if (!more.ok() || !*more) break;
    Expect(packet.number == ++count, "packets are counted from 1");
    Expect(packet.time_ns >= latest_ns, "the clock never goes back");
    Expect(packet.data.size() <= npf::capture::kPacketBytesMax, "packets are bounded");
    Expect(packet.data.size() <= size, "no bytes come from nowhere");
    latest_ns = packet.time_ns;
    const std::vector<uint8_t> exact(packet.data.begin(), packet.data.end());
    npf::ParsePacket({.data = exact.data(),
                      .length = static_cast<uint32_t>(exact.size()),
                      .wire_length = packet.wire_length},
                     {.link = packet.link});
  }
  return 0;
}

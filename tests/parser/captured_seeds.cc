#include <algorithm>

#include "capture/capture.h"
#include "parser/frame_seeds.h"

namespace npf::testing {
namespace {

constexpr size_t kBytesMax = 2000;

// Sorted, so that a seed means the same frames everywhere.
std::vector<std::filesystem::path> CapturesUnder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".pcap" || extension == ".pcapng") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What is no capture, or ends badly, gives what was read before.
void AddFrames(const std::filesystem::path& path, size_t count, std::vector<FrameSeed>& seeds) {
  auto reader = capture::OpenCapture(path.string());
  if (!reader.ok()) return;
  capture::CapturePacket packet;
  for (size_t i = 0; i < count; ++i) {
    const auto more = (*reader)->Next(packet);
    if (!more.ok() || !*more) return;
    if (packet.data.size() > kBytesMax) continue;
    seeds.push_back(
        {packet.link, Bytes(packet.data.begin(), packet.data.end()), packet.wire_length});
  }
}

}  // namespace

std::vector<FrameSeed> CapturedSeeds(const std::filesystem::path& shared) {
  constexpr size_t kAll = 1'000'000;
  constexpr size_t kSample = 40;
  std::vector<FrameSeed> seeds;
  for (const auto& path : CapturesUnder(shared / "adversarial")) {
    if (path.parent_path() == shared / "adversarial") AddFrames(path, kAll, seeds);
  }
  for (const auto& path : CapturesUnder(shared / "traces")) AddFrames(path, kSample, seeds);
  return seeds;
}

}  // namespace npf::testing

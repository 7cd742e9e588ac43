#include "eal_arguments.h"

#include <fcntl.h>
#include <net/if.h>
#include <rte_errno.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace npf::appliance {
namespace {

// Drivers over an interface that is there already, and by which of their words it is named.
// net_tap's iface is one that it makes.
struct Driver {
  std::string_view name;
  std::vector<std::string_view> words;
};
const std::vector<Driver>& Drivers() {
  static const auto& all =
      *new std::vector<Driver>{{"net_af_packet", {"iface="}},
                               {"net_af_xdp", {"iface="}},
                               {"net_pcap", {"iface=", "rx_iface=", "rx_iface_in=", "tx_iface="}}};
  return all;
}

// Of a ring of AF_PACKET's, with what stands before a frame there.
uint32_t RoomOf(const std::vector<std::string>& parts) {
  constexpr uint32_t kDefault = 2048;
  constexpr uint32_t kBefore = 66;
  uint32_t bytes = kDefault;
  for (std::string_view part : parts) {
    if (part.starts_with("framesz=") && !absl::SimpleAtoi(std::string(part.substr(8)), &bytes))
      bytes = kDefault;
  }
  return bytes - std::min(bytes, kBefore);
}

std::string ConfigPath(EalArguments eal) {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string_view folder = geteuid() == 0       ? "/var/run"
                                  : runtime != nullptr ? runtime
                                                       : "/tmp";
  return absl::StrCat(absl::string_view(folder.data(), folder.size()), "/dpdk/", FilePrefixOf(eal),
                      "/config");
}

}  // namespace

bool HasFlag(EalArguments eal, std::string_view flag) {
  return std::find(eal.begin(), eal.end(), flag) != eal.end();
}

std::vector<std::string> ValuesOf(EalArguments eal, std::string_view flag) {
  std::vector<std::string> values;
  for (size_t i = 0; i < eal.size(); ++i) {
    const std::string_view text = eal[i];
    if (text == flag && i + 1 < eal.size()) {
      values.push_back(eal[++i]);
    } else if (text.starts_with(flag) && text.substr(flag.size()).starts_with('=')) {
      values.emplace_back(text.substr(flag.size() + 1));
    }
  }
  return values;
}

std::vector<OverInterface> DevicesOverInterfaces(EalArguments eal) {
  std::vector<OverInterface> found;
  for (const std::string& vdev : ValuesOf(eal, "--vdev")) {
    const std::vector<std::string> parts = absl::StrSplit(vdev, ',');
    for (const Driver& driver : Drivers()) {
      if (!parts[0].starts_with(driver.name)) continue;
      for (const std::string& part : parts) {
        const auto word = std::find_if(driver.words.begin(), driver.words.end(),
                                       [&](std::string_view w) { return part.starts_with(w); });
        if (word == driver.words.end()) continue;
        found.push_back({.device = parts[0],
                         .interface = part.substr(word->size()),
                         .frame_bytes = driver.name == "net_af_packet" ? RoomOf(parts) : 0});
      }
    }
  }
  return found;
}

std::vector<std::string> MissingInterfaces(EalArguments eal) {
  std::vector<std::string> faults;
  for (const OverInterface& over : DevicesOverInterfaces(eal)) {
    if (if_nametoindex(over.interface.c_str()) != 0) continue;
    faults.push_back(
        absl::StrCat("--vdev ", over.device, ": there is no interface ", over.interface));
  }
  return faults;
}

std::string FilePrefixOf(EalArguments eal) {
  const std::vector<std::string> values = ValuesOf(eal, "--file-prefix");
  return values.empty() ? "rte" : values.back();
}

std::optional<pid_t> HolderOfPrefix(EalArguments eal) {
  if (HasFlag(eal, "--no-shconf") || HasFlag(eal, "--in-memory")) return std::nullopt;
  const int file = open(ConfigPath(eal).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool held = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  return held ? std::optional(lock.l_pid) : std::nullopt;
}

std::string WhyNoStart(EalArguments eal, int error) {
  if (const std::optional<pid_t> holder = HolderOfPrefix(eal)) {
    return absl::StrCat("process ", *holder, " of DPDK runs under --file-prefix ",
                        FilePrefixOf(eal), "; give another one before --");
  }
  return absl::StrCat(error == 0 ? "its own messages above say why" : rte_strerror(error),
                      "; npf-dpdk check says what is missing");
}

}  // namespace npf::appliance

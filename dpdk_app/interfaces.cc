#include "interfaces.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace npf::appliance {
namespace {

// One ioctl about an interface; false where it fails.
bool Ask(const std::string& interface, unsigned long what, ifreq& request) {
  if (interface.size() >= IFNAMSIZ) return false;
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  const int asked = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (asked < 0) return false;
  const bool done = ioctl(asked, what, &request) == 0;
  close(asked);
  return done;
}

uint32_t FeatureOf(const std::string& interface, uint32_t command) {
  ethtool_value value{.cmd = command, .data = 0};
  ifreq request{};
  request.ifr_data = reinterpret_cast<char*>(&value);
  return Ask(interface, SIOCETHTOOL, request) ? value.data : 0;
}

}  // namespace

std::optional<uint32_t> MtuOf(const std::string& interface) {
  ifreq request{};
  if (!Ask(interface, SIOCGIFMTU, request)) return std::nullopt;
  return static_cast<uint32_t>(request.ifr_mtu);
}

std::vector<std::string> JoiningFeaturesOf(const std::string& interface) {
  std::vector<std::string> on;
  if (FeatureOf(interface, ETHTOOL_GGRO) != 0) on.emplace_back("gro");
  if ((FeatureOf(interface, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0) on.emplace_back("lro");
  return on;
}

bool IsVeth(const std::string& interface) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  request.ifr_data = reinterpret_cast<char*>(&info);
  return Ask(interface, SIOCETHTOOL, request) && std::strcmp(info.driver, "veth") == 0;
}

}  // namespace npf::appliance

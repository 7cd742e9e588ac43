#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "eal_arguments.h"
#include "interfaces.h"
#include "npf/exit_status.h"
#include "npf/output.h"
#include "policy.h"
#include "proto/socket.h"

namespace npf::appliance {
namespace {

struct Finding {
  std::string what;
  bool good = false;
  bool needed = true;
  std::string detail;
  std::string mend;  // where it is not good
};

std::string NumberIn(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (word == name && file >> word) return word;
  }
  return "";
}

Finding CheckHugePages(std::span<const std::string> eal) {
  uint64_t pages = 0;
  const bool some =
      absl::SimpleAtoi(NumberIn("/proc/meminfo", "HugePages_Free:"), &pages) && pages != 0;
  const bool without = HasFlag(eal, "--no-huge");
  return {.what = "huge pages",
          .good = some || without,
          .detail = without ? "not asked for"
                    : some  ? absl::StrCat(pages, " free")
                            : "none",
          .mend =
              "sysctl vm.nr_hugepages=512, or --no-huge -m 256 before -- where speed does not "
              "matter"};
}

Finding CheckInterfaces(std::span<const std::string> eal) {
  const std::vector<std::string> missing = MissingInterfaces(eal);
  return {.what = "interfaces",
          .good = missing.empty(),
          .detail = missing.empty() ? "those of --vdev are there" : absl::StrJoin(missing, "; "),
          .mend = "ip link shows which there are"};
}

// Frames that do not fit a port's ring come in cut short, and are denied as `truncated`.
Finding CheckMtu(std::span<const std::string> eal) {
  constexpr uint32_t kLinkBytes = 14 + 2 * 4;
  std::vector<std::string> faults;
  std::set<uint32_t> mtus;
  for (const OverInterface& over : DevicesOverInterfaces(eal)) {
    const uint32_t mtu = MtuOf(over.interface).value_or(0);
    if (mtu == 0) continue;
    mtus.insert(mtu);
    if (over.frame_bytes != 0 && over.frame_bytes < mtu + kLinkBytes) {
      faults.push_back(absl::StrCat(over.interface, " has ", mtu, ", and ", over.device,
                                    " room for frames of ", over.frame_bytes,
                                    " bytes: framesz= and blocksz= in --vdev"));
    }
  }
  if (mtus.size() > 1) faults.push_back("not the same at both ends: " + absl::StrJoin(mtus, ", "));
  return {.what = "MTU",
          .good = faults.empty(),
          .detail = !faults.empty() ? absl::StrJoin(faults, "; ")
                    : mtus.empty()  ? "of no interface of the kernel"
                                    : absl::StrCat(*mtus.begin()),
          .mend = "ip link set NAME mtu N; framesz=16384,blocksz=16384 for long frames"};
}

Finding CheckOffloads(std::span<const std::string> eal) {
  std::vector<std::string> faults;
  for (const OverInterface& over : DevicesOverInterfaces(eal)) {
    for (const std::string& feature : JoiningFeaturesOf(over.interface)) {
      faults.push_back(absl::StrCat("ethtool -K ", over.interface, " ", feature, " off"));
    }
    if (IsVeth(over.interface)) {
      faults.push_back("ethtool -K INTERFACE tx off at the other end of " + over.interface);
    }
  }
  return {.what = "whole frames",
          .good = faults.empty(),
          .needed = false,
          .detail = faults.empty() ? "nothing joins frames or leaves checksums open"
                                   : "frames may be joined, or have open checksums",
          .mend = absl::StrJoin(faults, "; ")};
}

Finding CheckPrefix(std::span<const std::string> eal) {
  const std::optional<pid_t> holder = HolderOfPrefix(eal);
  return {.what = "file prefix",
          .good = !holder.has_value(),
          .detail = holder.has_value()
                        ? absl::StrCat("process ", *holder, " has ", FilePrefixOf(eal))
                        : absl::StrCat(FilePrefixOf(eal), " is free"),
          .mend = "another --file-prefix before --"};
}

Finding CheckRights() {
  constexpr uint64_t kNetAdmin = uint64_t{1} << 12;
  constexpr uint64_t kNetRaw = uint64_t{1} << 13;
  uint64_t effective = 0;
  if (!absl::SimpleHexAtoi(NumberIn("/proc/self/status", "CapEff:"), &effective)) effective = 0;
  const bool good = (effective & kNetAdmin) != 0 && (effective & kNetRaw) != 0;
  return {.what = "rights",
          .good = good,
          .detail = good ? "CAP_NET_ADMIN, CAP_NET_RAW" : "no CAP_NET_ADMIN, or no CAP_NET_RAW",
          .mend = "run it as root, or as a service with these capabilities"};
}

Finding CheckProcessors(const Options& options) {
  const unsigned processors = std::thread::hardware_concurrency();
  const unsigned wanted = options.workers + 1;
  return {
      .what = "processors",
      .good = processors >= wanted,
      .needed = false,
      .detail = absl::StrCat(processors, ", for ", options.workers, " workers and the main thread"),
      .mend = "lcores may share one: --lcores '0@0,1@0' before --"};
}

Finding CheckVfio() {
  const bool there = access("/dev/vfio/vfio", F_OK) == 0;
  return {.what = "vfio-pci",
          .good = there,
          .needed = false,
          .detail = there ? "there" : "not loaded",
          .mend = "modprobe vfio-pci; virtual devices (--vdev) do without"};
}

Finding CheckFolder(const std::string& what, const std::string& folder) {
  struct stat info {};
  const bool there = stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  const bool good = there && access(folder.c_str(), W_OK) == 0;
  return {.what = what,
          .good = good,
          .detail = good ? folder : absl::StrCat(folder, ": ", std::strerror(errno)),
          .mend = "install -d -m 0750 " + folder};
}

// As the start does it, and away again.
Finding CheckSocket(const std::string& path) {
  absl::StatusOr<control::ListeningSocket> socket = control::ListeningSocket::Open(path, "");
  if (socket.ok()) socket->Close();
  return {.what = "control socket",
          .good = socket.ok(),
          .detail = socket.ok() ? path : std::string(socket.status().message()),
          .mend = "a directory of root, or of --user, that nobody else can write into"};
}

Finding CheckPolicy(const Options& options) {
  Finding finding{.what = "policy"};
  if (options.input.paths.empty() && options.image.empty()) {
    finding.detail = "none is named";
    finding.mend = "-f PATH, or --image FILE";
    return finding;
  }
  const absl::StatusOr<PolicyPtr> policy = options.image.empty()
                                               ? ReadPolicy(options.input, {}, options.allow_all)
                                               : ReadPolicyImage(options.image);
  finding.good = policy.ok();
  finding.detail = policy.ok()
                       ? absl::StrCat((*policy)->policies, " policies, ", (*policy)->pods, " pods")
                       : std::string(policy.status().message());
  finding.mend = "npf validate tells each error";
  return finding;
}

}  // namespace

int RunCheck(const Options& options, std::span<const std::string> eal) {
  std::vector<Finding> findings{CheckHugePages(eal),  CheckRights(), CheckProcessors(options),
                                CheckInterfaces(eal), CheckMtu(eal), CheckOffloads(eal),
                                CheckPrefix(eal),     CheckVfio()};
  if (!options.control.empty()) findings.push_back(CheckSocket(options.control));
  if (!options.state_dir.empty()) findings.push_back(CheckFolder("last image", options.state_dir));
  if (!options.flows_dir.empty()) findings.push_back(CheckFolder("connections", options.flows_dir));
  findings.push_back(CheckPolicy(options));
  tools::Table table({"WHAT", "", "FOUND", "TO MEND IT"});
  int status = tools::kExitDone;
  for (const Finding& finding : findings) {
    table.AddRow({finding.what,
                  finding.good     ? "ok"
                  : finding.needed ? "MISSING"
                                   : "note",
                  finding.detail, finding.good ? "" : finding.mend});
    if (finding.good || !finding.needed) continue;
    status = finding.what == "policy" ? tools::kExitBadInput : tools::kExitEnvironment;
  }
  tools::WriteOut(table.Text());
  tools::FlushOut();
  return status;
}

}  // namespace npf::appliance

// What npf-dpdk is told after `--`.
#ifndef NPF_DPDK_APP_OPTIONS_H_
#define NPF_DPDK_APP_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "npf/input.h"
#include "npf/judge_flags.h"
#include "npf/overlay.h"
#include "npf/worker.h"

namespace npf::appliance {

enum class Mode : uint8_t {
  kEnforce,
  kAudit,  // what policy denies passes, and is counted and told as denied
  kTap,    // nothing passes
};

// Ports by name or number, which are each other's wire.
struct PairFlag {
  std::string a;
  std::string b;
};

// What stands behind a port: nodes by name, or pods by "namespace/name" where a port has one.
struct BehindFlag {
  std::string port;
  std::vector<std::string> names;
};

struct Options {
  std::vector<std::string> eal;  // arguments for DPDK beside those before --
  std::vector<PairFlag> pairs;
  std::vector<BehindFlag> behind;
  tools::InputFlags input;
  std::string image;  // in place of input.paths
  Mode mode = Mode::kEnforce;
  std::string mode_name;
  std::string placement;
  bool follow = false;     // files are read again when they change
  bool allow_all = false;  // an input without objects is meant
  WorkerOptions worker;
  std::optional<Overlays> overlays;  // that worker.overlays points to
  uint32_t workers = 1;
  std::string control;    // the socket; empty: none
  std::string metrics;    // ADDRESS:PORT; empty: none
  std::string state_dir;  // empty: nothing is kept
  std::string flows_dir;  // on a file system in memory; empty: connections end with the process
  std::string deny_log;   // a file, or -; empty: none
  std::string verdicts;   // a file of one line a packet; empty: none
  bool packet_clock = false;
  uint32_t buffers = 0;      // in a pool
  uint16_t mtu = 0;          // of cards; 0: as it is
  uint64_t watchdog_ns = 0;  // a worker that is silent for so long ends the process; 0: none does
  bool fail_open = false;    // without a policy at the start, everything passes
  bool pdump = false;        // dpdk-pdump and dpdk-dumpcap may attach
  bool reject = false;       // the sender of what policy denies is told
  std::string user;          // that the process becomes; empty: it stays who it is
  bool seccomp = true;
};

// Runs `run` with the options, or `check`, or prints help; gives the exit status. `arguments` are
// those behind `--`, with the program's name before them.
int ParseOptions(std::vector<std::string> arguments, const std::function<int(Options&)>& run,
                 const std::function<int(const Options&)>& check);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_OPTIONS_H_

// The two ends of each wire.
#ifndef NPF_DPDK_APP_PORTS_H_
#define NPF_DPDK_APP_PORTS_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "options.h"
#include "proto/control.h"

struct rte_mempool;

namespace npf::appliance {

// What comes in by a port goes out by its peer.
struct Port {
  uint16_t id = 0;
  uint16_t peer = 0;
  std::string name;
};

class Ports {
 public:
  Ports() = default;
  ~Ports();
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  // Finds and configures them, with a queue in each direction for each worker. Nothing is received
  // before Start().
  absl::Status Open(const Options& options);
  absl::Status Start();
  void Stop();

  std::span<const Port> all() const { return ports_; }
  uint16_t receive_queues() const { return receive_queues_; }
  rte_mempool* pool() const { return pool_; }
  std::vector<control::PortStatus> GetStatus() const;

 private:
  absl::StatusOr<uint16_t> CheckMtus(uint16_t asked) const;
  absl::Status Configure(const Port& port, uint16_t workers, uint16_t mtu);

  std::vector<Port> ports_;
  rte_mempool* pool_ = nullptr;
  uint16_t receive_queues_ = 1;
  bool started_ = false;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_PORTS_H_

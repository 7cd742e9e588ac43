#include "ports.h"

#include <net/if.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <array>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "interfaces.h"

namespace npf::appliance {
namespace {

constexpr uint16_t kDescriptors = 1024;

absl::Status Failure(const Port& port, const char* what, int code) {
  return absl::UnavailableError(
      absl::StrCat("port ", port.name, ": ", what, ": ", rte_strerror(-code)));
}

std::string NamesOfAll() {
  std::vector<std::string> names;
  for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; ++id) {
    std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
    if (rte_eth_dev_get_name_by_port(id, name.data()) == 0) {
      names.push_back(absl::StrCat(id, " (", name.data(), ")"));
    }
  }
  return names.empty() ? "there is none" : absl::StrJoin(names, ", ");
}

absl::StatusOr<Port> FindPort(const std::string& text) {
  uint16_t id = 0;
  uint32_t number = 0;
  const bool is_number = absl::SimpleAtoi(text, &number);
  const bool known = is_number ? number <= UINT16_MAX &&
                                     rte_eth_dev_is_valid_port(static_cast<uint16_t>(number)) != 0
                               : rte_eth_dev_get_port_by_name(text.c_str(), &id) == 0;
  if (!known) {
    return absl::NotFoundError(absl::StrCat("--pair: no port ", text, "; ports: ", NamesOfAll(),
                                            "; --vdev and -a, before --, add them"));
  }
  if (is_number) id = static_cast<uint16_t>(number);
  std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
  rte_eth_dev_get_name_by_port(id, name.data());
  return Port{.id = id, .name = name.data()};
}

// Of a port over an interface of the kernel, that one's.
uint16_t MtuOfPort(const Port& port, uint16_t asked) {
  rte_eth_dev_info info{};
  std::array<char, IF_NAMESIZE> name{};
  if (rte_eth_dev_info_get(port.id, &info) == 0 && info.if_index != 0 &&
      if_indextoname(info.if_index, name.data()) != nullptr) {
    const uint32_t mtu = MtuOf(name.data()).value_or(RTE_ETHER_MTU);
    return static_cast<uint16_t>(std::min<uint32_t>(mtu, UINT16_MAX));
  }
  if (asked != 0) return asked;
  uint16_t mtu = RTE_ETHER_MTU;
  rte_eth_dev_get_mtu(port.id, &mtu);
  return mtu;
}

absl::StatusOr<std::vector<Port>> FindPorts(std::span<const PairFlag> pairs) {
  std::vector<Port> ports;
  std::set<uint16_t> seen;
  for (const PairFlag& pair : pairs) {
    absl::StatusOr<Port> a = FindPort(pair.a);
    if (!a.ok()) return a.status();
    absl::StatusOr<Port> b = FindPort(pair.b);
    if (!b.ok()) return b.status();
    if (!seen.insert(a->id).second || !seen.insert(b->id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--pair: ", pair.a, ":", pair.b, " names a port twice"));
    }
    a->peer = b->id;
    b->peer = a->id;
    ports.push_back(*std::move(a));
    ports.push_back(*std::move(b));
  }
  return ports;
}

}  // namespace

Ports::~Ports() {
  Stop();
  for (const Port& port : ports_) rte_eth_dev_close(port.id);
}

absl::Status Ports::Open(const Options& options) {
  absl::StatusOr<std::vector<Port>> ports = FindPorts(options.pairs);
  if (!ports.ok()) return ports.status();
  ports_ = *std::move(ports);
  const auto workers = static_cast<uint16_t>(options.workers);
  receive_queues_ = workers;
  for (const Port& port : ports_) {
    rte_eth_dev_info info;
    if (const int code = rte_eth_dev_info_get(port.id, &info); code != 0) {
      return Failure(port, "cannot be asked", code);
    }
    if (info.max_tx_queues < workers) {
      return absl::UnavailableError(absl::StrCat(
          "--workers ", workers, ": port ", port.name, " has only ", info.max_tx_queues,
          " queues to send from; a virtual device may have more, as qpairs=", workers,
          " in --vdev"));
    }
    receive_queues_ = std::min(receive_queues_, info.max_rx_queues);
  }
  const absl::StatusOr<uint16_t> longest = CheckMtus(options.mtu);
  if (!longest.ok()) return longest.status();
  // A frame in one piece, with two tags.
  const int room =
      std::max(RTE_MBUF_DEFAULT_BUF_SIZE, RTE_PKTMBUF_HEADROOM + *longest + 14 + 8 + 4);
  const auto buffers = static_cast<uint32_t>(options.buffers * ports_.size());
  pool_ = rte_pktmbuf_pool_create("frames", buffers, 256, 0, static_cast<uint16_t>(room),
                                  static_cast<int>(rte_socket_id()));
  if (pool_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for ", buffers, " packet buffers: ", rte_strerror(rte_errno),
                     "; give more with -m before --, or ask for less with --buffers"));
  }
  for (const Port& port : ports_) {
    if (absl::Status status = Configure(port, workers, options.mtu); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// What fits one end of a wire must fit the other: else long packets are lost without a word to the
// sender, who takes the path for one that carries them. Gives the longest of all.
absl::StatusOr<uint16_t> Ports::CheckMtus(uint16_t asked) const {
  uint16_t longest = 0;
  for (size_t i = 0; i < ports_.size(); i += 2) {
    const uint16_t one = MtuOfPort(ports_[i], asked);
    const uint16_t other = MtuOfPort(ports_[i + 1], asked);
    if (one != other) {
      return absl::UnavailableError(absl::StrCat(
          "port ", ports_[i].name, " has an MTU of ", one, ", and ", ports_[i + 1].name, " one of ",
          other, ": what is longer than the smaller one would be lost; make them equal"));
    }
    longest = std::max(longest, one);
  }
  return longest;
}

absl::Status Ports::Configure(const Port& port, uint16_t workers, uint16_t mtu) {
  rte_eth_dev_info info;
  rte_eth_dev_info_get(port.id, &info);
  rte_eth_conf conf{};
  conf.rxmode.mtu = mtu;
  if (receive_queues_ > 1) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IP & info.flow_type_rss_offloads;
  }
  if (int code = rte_eth_dev_configure(port.id, receive_queues_, workers, &conf); code != 0) {
    return Failure(port, "cannot be configured", code);
  }
  uint16_t receive = kDescriptors;
  uint16_t send = kDescriptors;
  if (int code = rte_eth_dev_adjust_nb_rx_tx_desc(port.id, &receive, &send); code != 0) {
    return Failure(port, "queue sizes", code);
  }
  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(port.id), 0));
  for (uint16_t queue = 0; queue < receive_queues_; ++queue) {
    const int code = rte_eth_rx_queue_setup(port.id, queue, receive, socket, nullptr, pool_);
    if (code != 0) return Failure(port, "queue to receive", code);
  }
  for (uint16_t queue = 0; queue < workers; ++queue) {
    const int code = rte_eth_tx_queue_setup(port.id, queue, send, socket, nullptr);
    if (code != 0) return Failure(port, "queue to send", code);
  }
  return absl::OkStatus();
}

absl::Status Ports::Start() {
  for (const Port& port : ports_) {
    if (const int code = rte_eth_dev_start(port.id); code != 0) {
      return Failure(port, "cannot be started", code);
    }
    // Frames are for others; a port that always hears everything may say that it cannot be told to.
    const int code = rte_eth_promiscuous_enable(port.id);
    if (code != 0 && code != -ENOTSUP) return Failure(port, "promiscuous mode", code);
  }
  started_ = true;
  return absl::OkStatus();
}

void Ports::Stop() {
  if (!started_) return;
  for (const Port& port : ports_) rte_eth_dev_stop(port.id);
  started_ = false;
}

std::vector<control::PortStatus> Ports::GetStatus() const {
  std::vector<control::PortStatus> all;
  for (const Port& port : ports_) {
    rte_eth_link link{};
    rte_eth_stats stats{};
    rte_eth_link_get_nowait(port.id, &link);
    rte_eth_stats_get(port.id, &stats);
    all.push_back({.name = port.name,
                   .link_up = link.link_status != 0,
                   .received = stats.ipackets,
                   .received_bytes = stats.ibytes,
                   .missed = stats.imissed + stats.ierrors + stats.rx_nombuf,
                   .sent = stats.opackets,
                   .sent_bytes = stats.obytes,
                   .not_sent = stats.oerrors});
  }
  return all;
}

}  // namespace npf::appliance

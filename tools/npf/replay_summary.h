// What a replay tells at its end: packets by verdict and reason, and flows.
//
// A flow is what went from one address to another with one protocol and destination port, seen in
// the direction in which its connections began, with one verdict and reason. Packets of a known
// connection count under the reason for which it was allowed. A capture that was taken where nobody
// enforced the policies has the rest of denied connections too, in both directions: those packets
// are denied as `no_state`, and count with the flow of the first packet (as denied UDP answers do).
// At most kFlowsMax flows, and as many denied connections, are kept; packets of further flows are
// counted, exactly, without being told apart.
#ifndef NPF_TOOLS_NPF_REPLAY_SUMMARY_H_
#define NPF_TOOLS_NPF_REPLAY_SUMMARY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "npf/replay_record.h"

namespace npf::tools {

class ReplaySummary {
 public:
  static constexpr size_t kFlowsMax = 100'000;
  static constexpr size_t kRowsShown = 50;

  void Add(const PacketRecord& record);

  // For people: pods by their names, whichever of their addresses they used; at most kRowsShown
  // rows, denied ones first, those with most packets first.
  std::string AsTable(const AddressNames& names) const;
  // Every flow that was kept.
  std::string AsCsv(const AddressNames& names) const;
  // Both tables, as one document.
  std::string AsJson(const AddressNames& names) const;

  uint64_t packets() const { return packets_; }
  uint64_t CountOf(bool allowed, Reason reason) const {
    return by_reason_[allowed ? 1 : 0][static_cast<uint8_t>(reason)];
  }
  uint64_t packets_beyond_flows() const { return beyond_; }

 private:
  struct FlowName {
    FlowKey key{};
    bool allowed = false;
    bool fragment = false;
    bool has_ports = false;
    uint8_t reason = 0;
    bool operator==(const FlowName& other) const;
    template <typename H>
    friend H AbslHashValue(H h, const FlowName& name) {
      const FlowKey& flow = name.key;
      h = H::combine_contiguous(std::move(h), flow.src, sizeof(flow.src));
      h = H::combine_contiguous(std::move(h), flow.dst, sizeof(flow.dst));
      return H::combine(std::move(h), flow.dst_port, flow.protocol, flow.family, name.allowed,
                        name.fragment, name.reason);
    }
  };
  struct FlowCount {
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t first = 0;  // packet number
  };
  using FlowRow = std::pair<FlowName, FlowCount>;

  static FlowName NameOf(const Judgement& judgement);
  // `name`, or that of the denied connection that the packet belongs to.
  FlowName FollowDenied(const Judgement& judgement, FlowName name);
  std::vector<FlowRow> Sorted() const;
  static std::vector<std::string> Cells(const FlowRow& row, const AddressNames& names);
  // Rows of verdict, reason and packets, most packets first.
  struct ReasonRow {
    bool allowed;
    Reason reason;
    uint64_t packets;
  };
  std::vector<ReasonRow> Reasons() const;
  std::string ReasonTable() const;

  absl::flat_hash_map<FlowName, FlowCount> flows_;
  // By 5-tuple, the lesser end first, and network.
  absl::flat_hash_map<std::string, FlowName> denied_;
  std::array<std::array<uint64_t, 256>, 2> by_reason_{};
  uint64_t packets_ = 0;
  uint64_t beyond_ = 0;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_REPLAY_SUMMARY_H_

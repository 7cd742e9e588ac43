#include "observe/visibility.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "npf/output.h"

namespace npf::observe {
namespace {

constexpr std::string_view kHere = "here";
constexpr std::string_view kPartly = "partly";
constexpr std::string_view kNotVisible = "not visible";

struct Answer {
  std::string_view enforced;
  std::string why;
};

class Place {
 public:
  Place(const Snapshot& snapshot, const VisibilityInput& input) : input_(input) {
    for (const Pod& pod : snapshot.pods()) {
      if (HasPodAddresses(pod) && !pod.ips.empty()) ++pods_of_node_[pod.node_name];
    }
    for (const PortMembers& port : input.ports) {
      for (const std::string& node : port.nodes) port_of_node_.emplace(node, port.port);
      for (const std::string& pod : port.pods) port_of_pod_.emplace(pod, port.port);
    }
  }

  Answer Of(const Pod& pod) const {
    if (pod.host_network) {
      return {kNotVisible, "it uses its node's network: policy does not apply to it (R52)"};
    }
    if (pod.ips.empty()) return {kNotVisible, "it has no address yet"};
    Answer answer;
    switch (input_.placement) {
      case Placement::kOffline:
        answer = {kHere, "all that is given is judged"};
        break;
      case Placement::kPodPort:
        answer = AtPodPort(absl::StrCat(pod.ns, "/", pod.name));
        break;
      case Placement::kNodeWire:
        answer = AtNodeWire(pod.node_name);
        break;
      case Placement::kFabric:
        answer = InFabric(pod.node_name);
        break;
    }
    if (answer.enforced != kNotVisible) TakeObservedInto(answer);
    return answer;
  }

 private:
  Answer AtPodPort(const std::string& pod) const {
    const auto port = port_of_pod_.find(pod);
    if (port != port_of_pod_.end()) {
      return {kHere, absl::StrCat("all of its traffic crosses port ", port->second)};
    }
    if (port_of_pod_.empty()) return {kNotVisible, "no pod is configured to be behind a port"};
    return {kPartly, "it is behind no port: only its traffic with pods that are behind one"};
  }

  Answer AtNodeWire(const std::string& node) const {
    if (node.empty()) return {kNotVisible, "the input does not say on which node it is"};
    const auto port = port_of_node_.find(node);
    if (port != port_of_node_.end())
      return OnNode(node, absl::StrCat("the wire of port ", port->second));
    if (port_of_node_.empty()) return {kNotVisible, "no node is configured to be behind a port"};
    const bool has_peers =
        std::any_of(port_of_node_.begin(), port_of_node_.end(),
                    [&](const auto& entry) { return pods_of_node_.contains(entry.first); });
    if (!has_peers) {
      return {kNotVisible,
              absl::StrCat("node ", node, " is behind no port, and no pod is behind one")};
    }
    return {kPartly,
            absl::StrCat("node ", node,
                         " is behind no port: only its traffic with nodes that are behind one")};
  }

  Answer InFabric(const std::string& node) const {
    if (node.empty()) {
      return {kPartly,
              "the input does not say on which node it is: its traffic with pods of the"
              " same node does not cross the fabric"};
    }
    return OnNode(node, "the fabric");
  }

  Answer OnNode(const std::string& node, const std::string& wire) const {
    if (pods_of_node_.at(node) == 1) {
      return {kHere, absl::StrCat("the only pod of node ", node, "; its traffic crosses ", wire)};
    }
    return {kPartly, absl::StrCat("traffic between pods of node ", node, " does not cross ", wire)};
  }

  // What was seen says that more is hidden than the configuration tells.
  void TakeObservedInto(Answer& answer) const {
    const auto note = [&](const char* reason, std::string_view text) {
      if (!input_.observed.contains(reason)) return;
      answer.enforced = kPartly;
      answer.why.append("; ").append(text);
    };
    note("opaque",
         input_.overlays_configured
             ? "packets were seen that are encrypted, or in a tunnel of no configured overlay"
             : "packets were seen that are tunnelled or encrypted, and no overlay is configured");
    note("service_address", "packets to Services were seen before a pod's address replaced theirs");
    note("masquerade", "pods' traffic was seen that bears their nodes' addresses");
  }

  const VisibilityInput& input_;
  std::map<std::string, size_t> pods_of_node_;  // of the pod network
  std::map<std::string, std::string> port_of_node_;
  std::map<std::string, std::string> port_of_pod_;
};

}  // namespace

std::vector<control::PodVisibility> VisibilityOf(const Snapshot& snapshot,
                                                 const VisibilityInput& input) {
  const Place place(snapshot, input);
  std::vector<control::PodVisibility> out;
  for (const Pod& pod : snapshot.pods()) {
    if (HasEnded(pod)) continue;
    Answer answer = place.Of(pod);
    out.push_back({.pod = absl::StrCat(pod.ns, "/", pod.name),
                   .enforced = std::string(answer.enforced),
                   .why = std::move(answer.why)});
  }
  return out;
}

std::string VisibilityReport(std::span<const control::PodVisibility> pods, size_t rows_max) {
  std::map<std::string_view, size_t> sums;
  for (const control::PodVisibility& pod : pods) ++sums[pod.enforced];
  std::string out = absl::StrCat(pods.size(), " pods: ", sums[kHere], " enforced here, ",
                                 sums[kPartly], " partly, ", sums[kNotVisible], " not visible\n");
  tools::Table table({"POD", "ENFORCED", "WHY"});
  size_t rows = 0;
  for (const std::string_view enforced : {kNotVisible, kPartly, kHere}) {
    for (const control::PodVisibility& pod : pods) {
      if (pod.enforced != enforced || rows >= rows_max) continue;
      table.AddRow({pod.pod, pod.enforced, pod.why});
      ++rows;
    }
  }
  if (rows > 0) out += "\n" + table.Text();
  if (rows < pods.size()) absl::StrAppend(&out, "... and ", pods.size() - rows, " more\n");
  return out;
}

}  // namespace npf::observe

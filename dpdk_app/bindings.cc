#include "bindings.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "npf/address.h"

namespace npf::appliance {
namespace {

// By name of a node or a pod: the port that it is behind.
using Places = std::map<std::string, uint16_t, std::less<>>;

absl::StatusOr<Places> PlacesOf(const Options& options, std::span<const Port> ports) {
  Places places;
  for (const BehindFlag& behind : options.behind) {
    const auto port = std::find_if(ports.begin(), ports.end(), [&](const Port& candidate) {
      return candidate.name == behind.port || absl::StrCat(candidate.id) == behind.port;
    });
    if (port == ports.end()) {
      return absl::InvalidArgumentError(absl::StrCat("--behind: no pair has a port ", behind.port));
    }
    for (const std::string& name : behind.names) places[name] = port->id;
  }
  return places;
}

class Binder {
 public:
  explicit Binder(const Places& places) : places_(places) {}

  void Bind(std::string_view name, const std::vector<std::string>& prefixes) {
    const auto place = places_.find(name);
    if (place == places_.end()) return;
    for (const std::string& text : prefixes) {
      const bool is_address = text.find('/') == std::string::npos;
      const std::optional<IpAddress> address =
          is_address ? ParseIpAddress(text) : std::optional<IpAddress>();
      const bool v6 = text.find(':') != std::string::npos;
      const ParsedPrefix parsed = ParseIpPrefix(is_address ? text + (v6 ? "/128" : "/32") : text);
      if (is_address && !address.has_value()) continue;
      if (parsed.fault != PrefixFault::kNone || !seen_.insert(text).second) continue;
      bindings_.push_back({.source = parsed.prefix, .port = place->second});
    }
  }
  std::span<const SourceBinding> bindings() const { return bindings_; }

 private:
  const Places& places_;
  std::set<std::string> seen_;
  std::vector<SourceBinding> bindings_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const SourceBindings>> BindSources(const Options& options,
                                                                  std::span<const Port> ports,
                                                                  const Snapshot& snapshot) {
  if (options.behind.empty()) return nullptr;
  const absl::StatusOr<Places> places = PlacesOf(options, ports);
  if (!places.ok()) return places.status();
  const bool by_pod = options.worker.classify.placement == Placement::kPodPort;
  Binder binder(*places);
  for (const Pod& pod : snapshot.pods()) {
    if (!HasPodAddresses(pod)) continue;
    binder.Bind(by_pod ? absl::StrCat(pod.ns, "/", pod.name) : pod.node_name, pod.ips);
  }
  for (const Node& node : snapshot.nodes()) {
    if (by_pod) break;
    binder.Bind(node.name, node.addresses);
    binder.Bind(node.name, node.pod_cidrs);
  }
  if (binder.bindings().empty()) return nullptr;
  absl::StatusOr<SourceBindings> made = SourceBindings::Make(binder.bindings());
  if (!made.ok()) return made.status();
  return std::make_unique<const SourceBindings>(*std::move(made));
}

}  // namespace npf::appliance

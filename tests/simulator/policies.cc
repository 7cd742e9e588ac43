#include "simulator/policies.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "testing/world.h"

namespace npf::simulator {
namespace {

constexpr const char* kApps[] = {"client", "server", "client", "other", "server", "other"};

// Servers take some ports from clients, and anything from others; everything else is open.
constexpr char kWeb[] = R"(
{podSelector: {matchLabels: {app: server}},
 ingress: [{from: [{podSelector: {matchLabels: {app: client}}}],
            ports: [{port: 80}, {port: 53, protocol: UDP}, {port: 9, protocol: SCTP}]},
           {from: [{podSelector: {matchLabels: {app: other}}}]}]})";
// Nothing passes, but clients to servers.
constexpr char kDenyAll[] = "{podSelector: {}, policyTypes: [Ingress, Egress]}";
constexpr char kClientsGoOut[] = R"(
{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{}]})";
constexpr char kServersTake[] = R"(
{podSelector: {matchLabels: {app: server}},
 ingress: [{from: [{podSelector: {matchLabels: {app: client}}}, {ipBlock: {cidr: 10.0.0.7/32}}],
            ports: [{port: 80, endPort: 81}, {port: 53, protocol: UDP}]}]})";

std::string Pod(size_t number, size_t address) {
  return absl::StrCat(
      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p", number,
      ", namespace: x, labels: {app: ", kApps[number],
      "}}\nspec: {containers: [{name: c}]}\nstatus: {phase: Running, podIPs: [{ip: 10.0.0.",
      address + 1, "}, {ip: \"fd00::", address + 1, "\"}]}\n");
}

// `address[i]` is the host of pod i.
std::string Pods(const std::vector<size_t>& address) {
  std::string text = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n";
  for (size_t i = 0; i < address.size(); ++i) text += Pod(i, address[i]);
  return text;
}

std::vector<std::string> Texts() {
  const auto policy = [](const char* name, const char* spec) {
    return testing::PolicyYaml("x", name, spec);
  };
  const std::string strict =
      policy("all", kDenyAll) + policy("out", kClientsGoOut) + policy("take", kServersTake);
  return {Pods({0, 1, 2, 3, 4, 5}), Pods({0, 1, 2, 3, 4, 5}) + policy("web", kWeb),
          Pods({0, 1, 2, 3, 4, 5}) + strict,
          // Server 1 and other 3 have changed places, and the last pod is gone.
          Pods({0, 3, 2, 1, 4}) + policy("web", kWeb)};
}

}  // namespace

Policies::Policies() {
  for (const std::string& text : Texts()) {
    const Snapshot snapshot = testing::SnapshotOf(text);
    worlds_.push_back({testing::ProgramOf(text), reference::Evaluator(snapshot), {}});
  }
}

PolicyAnswer Policies::Ask(size_t number, const Key& key) {
  World& world = worlds_[number];
  Key question = key;
  question.src_port = 0;
  if (!HasPorts(key.protocol)) question.dst_port = 0;
  const auto [found, is_new] = world.answers.try_emplace(question);
  if (is_new) {
    const auto address = [&](uint8_t host) {
      const std::string last = absl::StrCat(host + 1);
      return *ParseIpAddress(key.family == 4 ? "10.0.0." + last : "fd00::" + last);
    };
    const reference::Answer answer = world.evaluator.Evaluate({.src = address(key.src),
                                                               .dst = address(key.dst),
                                                               .protocol = key.protocol,
                                                               .dst_port = question.dst_port});
    found->second = {answer.allowed, answer.reason};
  }
  return found->second;
}

}  // namespace npf::simulator

#include "testing/cluster.h"

#include <cstdio>
#include <cstdlib>
#include <functional>

#include "absl/strings/str_cat.h"

namespace npf::testing {
namespace {

template <typename Visitor>
void ForEachObject(const Cluster& cluster, Visitor visit) {
  for (const auto& object : cluster.namespaces) visit(object);
  for (const auto& object : cluster.pods) visit(object);
  for (const auto& object : cluster.nodes) visit(object);
  for (const auto& object : cluster.services) visit(object);
  for (const auto& object : cluster.ingresses) visit(object);
  for (const auto& object : cluster.policies) visit(object);
  for (const auto& object : cluster.cluster_policies) visit(object);
  for (const auto& object : cluster.resolved_names) visit(object);
}

[[noreturn]] void Fail(const std::string& text) {
  std::fprintf(stderr, "a test is written wrong: bad address text '%s'\n", text.c_str());
  std::abort();
}

}  // namespace

absl::StatusOr<Snapshot> Finish(SnapshotBuilder& builder, Diagnostics& diagnostics) {
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (snapshot.ok()) return snapshot;
  std::string text(snapshot.status().message());
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != Severity::kError) continue;
    absl::StrAppend(&text, "\n", Format(diagnostic, builder.files()));
  }
  return absl::InvalidArgumentError(text);
}

SnapshotOptions OptionsOf(const Cluster& cluster) {
  SnapshotOptions options;
  options.pod_cidrs = cluster.pod_cidrs;
  options.service_cidrs = cluster.service_cidrs;
  return options;
}

absl::StatusOr<Snapshot> Freeze(const Cluster& cluster) {
  SnapshotBuilder builder(OptionsOf(cluster));
  ForEachObject(cluster, [&](const auto& object) { builder.Add(object); });
  Diagnostics diagnostics;
  return Finish(builder, diagnostics);
}

absl::StatusOr<Snapshot> FreezeShuffled(const Cluster& cluster, Random& random) {
  SnapshotBuilder builder(OptionsOf(cluster));
  std::vector<std::function<void()>> additions;
  ForEachObject(cluster, [&](const auto& object) {
    additions.push_back([&builder, &object] { builder.Add(object); });
  });
  random.Shuffle(additions);
  for (const auto& add : additions) add();
  Diagnostics diagnostics;
  return Finish(builder, diagnostics);
}

Cluster Thaw(const Snapshot& snapshot) {
  Cluster cluster;
  for (const Namespace& object : snapshot.namespaces()) {
    if (!object.synthesised) cluster.namespaces.push_back(object);
  }
  cluster.pods = snapshot.pods();
  cluster.nodes = snapshot.nodes();
  cluster.services = snapshot.services();
  cluster.ingresses = snapshot.ingresses();
  cluster.policies = snapshot.policies();
  cluster.cluster_policies = snapshot.cluster_policies();
  for (const NameAddress& resolved : snapshot.resolved_names()) {
    cluster.resolved_names.push_back({resolved.name, npf::ToString(resolved.address), 0, {}});
  }
  cluster.pod_cidrs = snapshot.pod_cidrs();
  cluster.service_cidrs = snapshot.service_cidrs();
  return cluster;
}

IpAddress Address(const std::string& text) {
  const std::optional<IpAddress> address = ParseIpAddress(text);
  if (!address) Fail(text);
  return *address;
}

IpPrefix Prefix(const std::string& text) {
  const ParsedPrefix parsed = ParseIpPrefix(text);
  if (parsed.fault != PrefixFault::kNone) Fail(text);
  return parsed.prefix;
}

std::string ToString(const reference::Question& question) {
  return absl::StrCat(npf::ToString(question.src), " -> ", npf::ToString(question.dst), " port ",
                      question.dst_port, " protocol ", static_cast<int>(question.protocol));
}

}  // namespace npf::testing

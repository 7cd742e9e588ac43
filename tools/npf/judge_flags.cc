#include "npf/judge_flags.h"

#include <CLI/CLI.hpp>

namespace npf::tools {

void AddJudgeFlags(CLI::App& app, JudgeFlags& flags) {
  app.add_option("--placement", flags.placement,
                 "where verdicts are made; decides whether a pod's own node is exempt")
      ->check(CLI::IsMember({"offline", "pod-port", "node-wire", "fabric"}))
      ->capture_default_str();
  app.add_option("--direction", flags.direction, "which direction is judged")
      ->check(CLI::IsMember({"egress", "ingress", "both"}))
      ->capture_default_str();
  app.add_option("--unknown-pod", flags.unknown_pod,
                 "how an address in a pod CIDR that no pod has is judged")
      ->check(CLI::IsMember({"external", "deny"}))
      ->capture_default_str();
}

ClassifyOptions ToClassifyOptions(const JudgeFlags& flags) {
  ClassifyOptions options;
  if (flags.placement == "pod-port") options.placement = Placement::kPodPort;
  if (flags.placement == "node-wire") options.placement = Placement::kNodeWire;
  if (flags.placement == "fabric") options.placement = Placement::kFabric;
  if (flags.direction == "egress") options.directions = DirectionMask::kEgress;
  if (flags.direction == "ingress") options.directions = DirectionMask::kIngress;
  options.deny_unknown_pod = flags.unknown_pod == "deny";
  return options;
}

}  // namespace npf::tools

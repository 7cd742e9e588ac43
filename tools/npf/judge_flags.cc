#include "npf/judge_flags.h"

#include "npf/command_line.h"

namespace npf::tools {

void AddJudgeFlags(Verb& verb, JudgeFlags& flags) {
  verb.AddChoice("--placement", flags.placement, {"offline", "pod-port", "node-wire", "fabric"},
                 "where verdicts are made; decides whether a pod's own node is exempt");
  verb.AddChoice("--direction", flags.direction, {"egress", "ingress", "both"},
                 "which direction is judged");
  verb.AddChoice("--unknown-pod", flags.unknown_pod, {"external", "deny"},
                 "how an address in a pod CIDR that no pod has is judged");
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

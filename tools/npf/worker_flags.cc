#include "npf/worker_flags.h"

#include "npf/command_line.h"
#include "npf/output.h"
#include "npf/overlay_flags.h"

namespace npf::tools {

void AddWorkerFlags(Verb& verb, WorkerFlags& flags) {
  verb.AddFlag("--stateless", flags.stateless, "judge every packet as the first of its connection");
  verb.AddChoice("--checksums", flags.checksums, {"verify", "ip", "ignore"},
                 "IP and TCP, IP headers only, or none");
  verb.AddChoice("--vlan", flags.vlan, {"on", "off"},
                 "look through up to two tags, or deny tagged frames");
  verb.AddChoice("--opaque", flags.opaque, {"pass", "deny"},
                 "what is encrypted, and tunnels that no --overlay names: judged by the outer "
                 "packet, or denied");
  verb.AddTexts(
      "--overlay", flags.overlays,
      "KIND,endpoints=CIDR+CIDR,...: judge what is inside these tunnels, and deny what is "
      "not surely one of them; KIND: vxlan (port=, vni=), geneve (port=, vni=, critical=), "
      "gre (key=), ipip, 6in4; repeatable");
  verb.AddChoice("--midstream", flags.midstream, {"deny", "allow"},
                 "TCP and SCTP of no known connection that do not begin one: denied, or judged");
  verb.AddChoice("--established", flags.established, {"rejudge", "keep"},
                 "known connections after an update: judged again, or kept");
  verb.AddChoice("--fragments", flags.fragments, {"track", "reassemble"},
                 "later fragments follow the first, or all wait for the whole datagram");
  verb.AddNumber("--flows-max", flags.flows_max, {1, uint64_t{1} << 26},
                 "connections that are known at once");
  verb.AddNumber("--openings-max", flags.openings_max, {0, uint64_t{1} << 26},
                 "of these, not answered or not confirmed; 0: a quarter");
  verb.AddNumber("--flows-per-source", flags.flows_per_source_max, {0, uint64_t{1} << 26},
                 "of these, begun by one address; 0: a quarter");
}

WorkerOptions ToWorkerOptions(const WorkerFlags& flags, const Overlays* overlays) {
  if (flags.stateless && flags.fragments == "reassemble") {
    throw BadUsage("--fragments reassemble: keeps state of datagrams, and --stateless keeps none");
  }
  WorkerOptions options;
  options.overlays = overlays;
  options.vlan = flags.vlan == "on";
  options.checksums = flags.checksums == "verify" ? Checksums::kVerify
                      : flags.checksums == "ip"   ? Checksums::kIpOnly
                                                  : Checksums::kIgnore;
  options.opaque_deny = flags.opaque == "deny";
  options.stateless = flags.stateless;
  options.midstream_allow = flags.midstream == "allow";
  options.established_keep = flags.established == "keep";
  options.fragments = flags.fragments == "reassemble" ? Fragments::kReassemble : Fragments::kTrack;
  options.flows_max = flags.flows_max;
  options.openings_max = flags.openings_max;
  options.flows_per_source_max = flags.flows_per_source_max;
  return options;
}

std::optional<Overlays> OverlaysOf(const WorkerFlags& flags) {
  std::vector<std::string> faults;
  std::optional<Overlays> overlays = ParseOverlays(flags.overlays, faults);
  if (faults.empty()) return overlays;
  for (size_t i = 0; i + 1 < faults.size(); ++i) PrintError(faults[i]);
  throw BadUsage(faults.back());
}

}  // namespace npf::tools

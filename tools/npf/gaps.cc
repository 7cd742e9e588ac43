#include "npf/gaps.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "capture/capture.h"
#include "gaps/flow_log.h"
#include "gaps/packet_watch.h"
#include "npf/command_line.h"
#include "npf/exit_status.h"
#include "npf/gap_report.h"
#include "npf/output.h"
#include "npf/policy_times.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

using gaps::Nearness;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kGraceMaxS = 86'400;
constexpr uint64_t kManyUnanswered = 10;  // connections, none of them answered
constexpr uint64_t kConnectionsMax = uint64_t{1} << 24;

std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

int StatusOf(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) return kExitLimit;
  return absl::IsInvalidArgument(status) ? kExitBadInput : kExitEnvironment;
}

// Where a capture was taken.
struct Spot {
  Nearness nearest = Nearness::kElsewhere;  // that an address can be: kElsewhere is the fabric
  std::string name;
};

Spot SpotOf(const std::string& text, const PolicyTimes& times) {
  if (text == "fabric") return {};
  const size_t slash = text.find('/');
  const auto is_there = [&](const PolicyPhase& phase) {
    if (slash == std::string::npos) return phase.HasNode(text);
    return phase.FindPod(text.substr(0, slash), text.substr(slash + 1)) != nullptr;
  };
  if (std::none_of(times.all().begin(), times.all().end(), is_there)) {
    throw BadUsage("--captured-at: no such " +
                   std::string(slash == std::string::npos ? "node" : "pod") + " in the input (" +
                   EscapeForMessage(text) + "); a node, NAMESPACE/POD, or fabric");
  }
  return {slash == std::string::npos ? Nearness::kNode : Nearness::kPod, text};
}

// One for each capture.
std::vector<Spot> SpotsOf(const GapsFlags& flags, const PolicyTimes& times) {
  const std::vector<std::string>& texts = flags.captured_at;
  if (texts.size() > 1 && texts.size() != flags.captures.size()) {
    throw BadUsage("--captured-at: is given " + std::to_string(texts.size()) +
                   " times; needs one for all captures, or one for each of " +
                   std::to_string(flags.captures.size()));
  }
  if (!texts.empty() && flags.captures.empty()) {
    throw BadUsage("--captured-at: is about captures, and there is no -r");
  }
  std::vector<Spot> spots;
  for (const std::string& text : texts) spots.push_back(SpotOf(text, times));
  spots.resize(flags.captures.size(), spots.empty() ? Spot{} : spots.front());
  return spots;
}

Nearness NearnessOf(const Spot& spot, const PolicyPhase& phase, const IpAddress& address) {
  if (spot.nearest == Nearness::kElsewhere) return Nearness::kElsewhere;
  const AddressNames::Owner* owner = phase.names().Find(address);
  if (owner == nullptr) return Nearness::kElsewhere;
  const std::string& own = spot.nearest == Nearness::kNode ? owner->node : owner->pod;
  return own == spot.name ? spot.nearest : Nearness::kElsewhere;
}

// A capture that is being read, and its next packet.
struct OpenedCapture {
  std::unique_ptr<capture::CaptureReader> reader;
  capture::CapturePacket packet;
  bool more = false;
};

class Gaps {
 public:
  // `overlays`, which may be null, and `times` outlive it.
  Gaps(const GapsFlags& flags, const Overlays* overlays, const PolicyTimes& times)
      : flags_(flags),
        overlays_(overlays),
        times_(times),
        spots_(SpotsOf(flags, times)),
        findings_(times) {}

  int Run() {
    std::string fault = ReadCaptures();
    if (fault.empty()) fault = ReadFlowLogs();
    if (!fault.empty() && !anything_) {
      PrintError(fault);
      return exit_status_;
    }
    const GapReport report{findings_.Rows(), findings_.counts(), flags_.unanswered};
    const std::string text = flags_.output == "json"    ? GapJson(report)
                             : flags_.output == "jsonl" ? GapJsonLines(report)
                                                        : GapTable(report);
    if (!WriteOut(text)) return kExitEnvironment;
    if (report.counts.with_replies == 0 && report.counts.seen >= kManyUnanswered) {
      PrintError("note: nothing that was seen has an answer: it may be of one direction only");
    }
    // What came before a fault has its results; then the fault is told.
    if (!fault.empty()) {
      PrintError(fault);
      return exit_status_;
    }
    const bool proven = report.counts.denied[static_cast<size_t>(gaps::Grade::kProven)] > 0;
    return proven ? kExitDenied : kExitDone;
  }

 private:
  std::string Fault(const std::string& file, const absl::Status& status) {
    exit_status_ = StatusOf(status);
    return file + ": " + TextOf(status);
  }
  gaps::SeenSink Sink() {
    return [this](const gaps::Seen& seen) { findings_.Add(seen); };
  }
  // "" or the first fault; what was read before it is told to findings_.
  std::string ReadCaptures();
  std::string MergeCaptures(std::vector<OpenedCapture>& captures, gaps::PacketWatch& watch);
  std::string Advance(OpenedCapture& capture, const std::string& file);
  std::string ReadFlowLogs();
  void PrintNotes(const gaps::WatchCounts& counts) const;
  void PrintNotes(const gaps::FlowLogCounts& counts) const;

  const GapsFlags& flags_;
  const Overlays* const overlays_;
  const PolicyTimes& times_;
  const std::vector<Spot> spots_;
  GapFindings findings_;
  bool anything_ = false;  // was read
  int exit_status_ = kExitDone;
};

std::string Gaps::Advance(OpenedCapture& capture, const std::string& file) {
  const absl::StatusOr<bool> more = capture.reader->Next(capture.packet);
  for (const std::string& warning : capture.reader->TakeWarnings()) {
    PrintError(file + ": warning: " + warning);
  }
  capture.more = more.ok() && *more;
  return more.ok() ? "" : Fault(file, more.status());
}

std::string Gaps::ReadCaptures() {
  if (flags_.captures.empty()) return "";
  std::vector<OpenedCapture> captures(flags_.captures.size());
  for (size_t i = 0; i < captures.size(); ++i) {
    auto reader = capture::OpenCapture(flags_.captures[i]);
    if (!reader.ok()) return Fault(flags_.captures[i], reader.status());
    captures[i].reader = std::move(*reader);
    std::string fault = Advance(captures[i], flags_.captures[i]);
    if (!fault.empty()) return fault;
  }
  gaps::PacketWatch watch(
      flags_.connections_max,
      [this](size_t place, const IpAddress& address, uint64_t time_ns) {
        return NearnessOf(spots_[place], times_.At(time_ns), address);
      },
      Sink());
  std::string fault = MergeCaptures(captures, watch);
  watch.Finish();
  anything_ = watch.counts().packets > 0;
  PrintNotes(watch.counts());
  return fault;
}

std::string Gaps::MergeCaptures(std::vector<OpenedCapture>& captures, gaps::PacketWatch& watch) {
  while (true) {
    OpenedCapture* next = nullptr;
    for (OpenedCapture& capture : captures) {
      const bool earlier =
          capture.more && (next == nullptr || capture.packet.time_ns < next->packet.time_ns);
      if (earlier) next = &capture;
    }
    if (next == nullptr) return "";
    const auto place = static_cast<size_t>(next - captures.data());
    const capture::CapturePacket& packet = next->packet;
    const PacketView view{.data = packet.data.data(),
                          .length = static_cast<uint32_t>(packet.data.size()),
                          .wire_length = packet.wire_length};
    // Who answers has found the checksum right; a host's own are not made yet when it captures.
    const ParseOptions options{
        .link = packet.link, .checksums = Checksums::kIgnore, .overlays = overlays_};
    findings_.AdvanceTo(packet.time_ns);
    watch.Add(view, ParsePacket(view, options), packet.time_ns, place);
    std::string fault = Advance(*next, flags_.captures[place]);
    if (!fault.empty()) return fault;
  }
}

std::string Gaps::ReadFlowLogs() {
  if (flags_.flow_logs.empty()) return "";
  gaps::FlowLog log(flags_.connections_max, [this](const gaps::Seen& seen) {
    findings_.AdvanceTo(UINT64_MAX);  // a log ends when it is told, not with its last flow
    findings_.Add(seen);
  });
  std::string fault;
  for (const std::string& file : flags_.flow_logs) {
    auto source = capture::OpenSource(file);
    const absl::Status read = source.ok() ? log.Read(std::move(*source)) : source.status();
    if (!read.ok()) {
      fault = Fault(file, read);
      break;
    }
  }
  log.Finish();
  anything_ = anything_ || log.counts().flows + log.counts().skipped > 0;
  PrintNotes(log.counts());
  return fault;
}

void Note(const std::string& what, uint64_t count, const std::string& more = "") {
  if (count > 0) PrintError("note: " + what + ": " + std::to_string(count) + more);
}

void Gaps::PrintNotes(const gaps::WatchCounts& counts) const {
  Note("packets that are malformed or encrypted, and say nothing", counts.unread);
  Note("fragments behind the first, which have no ports", counts.fragments);
  Note("packets of connections beyond the first " + std::to_string(flags_.connections_max) +
           " at once, left out",
       counts.left_out, "; --connections-max keeps more");
}

void Gaps::PrintNotes(const gaps::FlowLogCounts& counts) const {
  Note("values that are no flows of packets, skipped", counts.skipped);
  Note("flows of unknown direction", counts.unclear);
  Note("events that Hubble says it lost", counts.lost, "; what they were is not known");
  Note("flows of connections beyond the first " + std::to_string(flags_.connections_max) +
           " at once, left out",
       counts.left_out, "; --connections-max keeps more");
}

}  // namespace

int RunGaps(const GapsFlags& flags) {
  if (flags.captures.empty() && flags.flow_logs.empty()) {
    throw BadUsage("needs a capture (-r) or a flow log (--flows)");
  }
  const std::optional<Overlays> overlays = OverlaysOf(flags.overlays);
  int exit_status = kExitDone;
  const std::unique_ptr<PolicyTimes> times =
      PolicyTimes::Load(flags.input, flags.updates, flags.grace_s * kSecondNs, exit_status);
  if (times == nullptr) return exit_status;
  return Gaps(flags, overlays.has_value() ? &*overlays : nullptr, *times).Run();
}

void AddGapsVerb(CommandLine& line) {
  Verb verb = line.AddVerb("gaps", "what was seen delivered although policy denies it");
  auto flags = std::make_shared<GapsFlags>();
  AddInputFlags(verb, flags->input);
  verb.AddTexts("-r,--read", flags->captures,
                "a capture, pcap or pcapng, .gz and - are read; repeatable");
  verb.AddTexts("--captured-at", flags->captured_at,
                "where: a node, NAMESPACE/POD, or fabric (the default); once for all captures, or "
                "once for each");
  verb.AddTexts("--flows", flags->flow_logs,
                "a flow log of Hubble or Goldmane as JSON, .gz and - are read; repeatable");
  verb.AddTexts("--update", flags->updates,
                "TIME=PATH,PATH: from then on these inputs replace the ones before; repeatable");
  verb.AddNumber("--grace", flags->grace_s, {.min = 0, .max = kGraceMaxS},
                 "seconds after a change in which the policies before it count too");
  verb.AddTexts("--overlay", flags->overlays.overlays,
                "KIND,endpoints=CIDR+CIDR,...: tunnels to look into; repeatable");
  verb.AddNumber("--connections-max", flags->connections_max, {.min = 1, .max = kConnectionsMax},
                 "connections that are followed at once, some 300 bytes each");
  verb.AddFlag("--unanswered", flags->unanswered,
               "also tell what policy allows and nobody answered");
  verb.AddChoice("-o,--output", flags->output, {"table", "json", "jsonl"}, "the form");
  verb.SetFooter(
      "Exit status 1 where a gap is proven.\n"
      "Example:\n"
      "  npf gaps -f policies/ -f cluster.yaml -r db.pcap --captured-at shop/postgres\n"
      "  npf gaps -f policies/ -f cluster.yaml -r n1.pcap -r n2.pcap --captured-at node-1 "
      "--captured-at node-2\n"
      "  hubble observe -o json --last 100000 | npf gaps -f policies/ -f cluster.yaml --flows -\n"
      "  npf gaps -f old/ --update 2026-01-31T12:00:00Z=new/ -r wire.pcap --unanswered");
  verb.OnRun([flags] { return RunGaps(*flags); });
}

}  // namespace npf::tools

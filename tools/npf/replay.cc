#include "npf/replay.h"

#include <sys/stat.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "capture/capture.h"
#include "capture/writer.h"
#include "npf/address_names.h"
#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/exit_status.h"
#include "npf/output.h"
#include "npf/path_list.h"
#include "npf/protocol.h"
#include "npf/replay_queue.h"
#include "npf/replay_record.h"
#include "npf/replay_summary.h"
#include "npf/verbs.h"
#include "npf/why.h"
#include "npf/worker.h"
#include "npf/worker_flags.h"

namespace npf::tools {
namespace {

// What decides from some packet on.
struct Phase {
  Program program;
  AddressNames names;
  Explainer explainer;
};

// By the number of the first packet.
using Phases = std::map<uint64_t, Phase>;

std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

WorkerOptions OptionsFor(const ReplayFlags& flags, const Overlays* overlays) {
  WorkerOptions options = ToWorkerOptions(flags.worker, overlays);
  options.classify = ToClassifyOptions(flags.judge);
  return options;
}

// Both exist and are one file.
bool SameFile(const std::string& a, const std::string& b) {
  struct stat a_stat;
  struct stat b_stat;
  return stat(a.c_str(), &a_stat) == 0 && stat(b.c_str(), &b_stat) == 0 &&
         a_stat.st_dev == b_stat.st_dev && a_stat.st_ino == b_stat.st_ino;
}

class Replay {
 public:
  // `overlays`, which may be null, outlives it.
  Replay(const ReplayFlags& flags, const Overlays* overlays, Phases phases)
      : flags_(flags),
        overlays_(overlays),
        phases_(std::move(phases)),
        next_phase_(std::next(phases_.begin())),
        phase_(&phases_.begin()->second),
        worker_(phases_.begin()->second.program, OptionsFor(flags, overlays)),
        jsonl_(flags.output == "jsonl") {}

  int Run() {
    absl::StatusOr<std::unique_ptr<capture::CaptureReader>> reader =
        capture::OpenCapture(flags_.trace);
    if (!reader.ok()) return Fail(reader.status());
    if (!flags_.annotated.empty() && !OpenAnnotated()) return exit_status_;
    const absl::Status end = ReadAll(**reader);
    if (exit_status_ == kExitDone) Report((*reader)->counts());
    // The packets before a bad record have their results; then the record is told.
    if (!end.ok()) return Fail(end);
    return exit_status_;
  }

 private:
  // A packet of the batch that is being gathered.
  struct Pending {
    capture::CapturePacket packet;
    size_t offset = 0;  // of its bytes in bytes_
  };

  int Fail(const absl::Status& status) {
    PrintError(flags_.trace + ": " + TextOf(status));
    return absl::IsInvalidArgument(status) ? kExitBadInput : kExitEnvironment;
  }

  bool OpenAnnotated() {
    if (SameFile(flags_.trace, flags_.annotated)) {
      PrintError(flags_.annotated + ": is the capture that is read; -w needs another file");
      exit_status_ = kExitUsage;
      return false;
    }
    auto writer = capture::CaptureWriter::Create(flags_.annotated);
    if (!writer.ok()) {
      WriteFailed(writer.status());
      return false;
    }
    writer_ = std::move(*writer);
    return true;
  }

  void WriteFailed(const absl::Status& status) {
    PrintError(TextOf(status));
    exit_status_ = kExitEnvironment;
  }

  absl::Status ReadAll(capture::CaptureReader& reader) {
    capture::CapturePacket packet;
    absl::StatusOr<bool> more = false;
    while (exit_status_ == kExitDone && (more = reader.Next(packet)).ok() && *more) {
      for (const std::string& warning : reader.TakeWarnings()) {
        PrintError(flags_.trace + ": warning: " + warning);
      }
      if (next_phase_ != phases_.end() && packet.number == next_phase_->first) {
        Flush();
        BeginPhase();
      }
      // A batch has one time: that of its packets to within a tick of 2^20 ns, the same ones
      // however the capture was read.
      if (packet.time_ns >> 20 != now_ns_ >> 20 || pending_.size() == Worker::kBatch) Flush();
      now_ns_ = packet.time_ns;
      Gather(packet);
    }
    Flush();
    while (queue_.first_ticket() != 0) TellWithout(queue_.first_ticket());
    WriteText();
    if (writer_ != nullptr && exit_status_ == kExitDone) {
      const absl::Status closed = writer_->Close();
      if (!closed.ok()) WriteFailed(closed);
    }
    return more.status();
  }

  void BeginPhase() {
    worker_.Replace(next_phase_->second.program);
    phase_ = &next_phase_->second;
    ++next_phase_;
  }

  void Gather(const capture::CapturePacket& packet) {
    pending_.push_back({packet, bytes_.size()});
    bytes_.insert(bytes_.end(), packet.data.begin(), packet.data.end());
  }

  void Flush() {
    std::array<Frame, Worker::kBatch> frames;
    std::array<Judgement, Worker::kBatch> judgements;
    const size_t count = pending_.size();
    for (size_t i = 0; i < count; ++i) {
      capture::CapturePacket& packet = pending_[i].packet;
      packet.data = {bytes_.data() + pending_[i].offset, packet.data.size()};
      frames[i] = {.packet = {.data = packet.data.data(),
                              .length = static_cast<uint32_t>(packet.data.size()),
                              .wire_length = packet.wire_length},
                   .link = packet.link};
    }
    worker_.Process({frames.data(), count}, now_ns_, {judgements.data(), count});
    for (size_t i = 0; i < count; ++i) Hand(pending_[i].packet, judgements[i]);
    for (const Release& release : worker_.released()) queue_.Settle(release, phase_number());
    TellReady();
    while (queue_.over_limit()) {
      worker_.GiveUp(queue_.first_ticket());
      TellWithout(queue_.first_ticket());
      ++given_up_;
    }
    pending_.clear();
    bytes_.clear();
    WriteText();
  }

  void WriteText() {
    if (!WriteOut(text_)) exit_status_ = kExitEnvironment;
    text_.clear();
  }

  // Tells the packet, in its turn.
  void Hand(const capture::CapturePacket& packet, const Judgement& judgement) {
    JudgedPacket judged{.packet = packet,
                        .judgement = judgement,
                        .asked = judgement.packet.key,
                        .phase = phase_number()};
    if (queue_.empty() && judgement.held == 0) return Tell(judged);
    if (writer_ != nullptr || judgement.packet.overlay != 0) {
      judged.bytes.assign(packet.data.begin(), packet.data.end());
    }
    queue_.Add(std::move(judged));
  }

  void TellReady() {
    while (queue_.ready()) Tell(queue_.TakeFirst());
  }

  // What waits for a datagram that will not be whole, and so for nothing.
  void TellWithout(uint64_t ticket) {
    queue_.GiveUp(ticket);
    TellReady();
  }

  void Tell(const JudgedPacket& judged) {
    if (exit_status_ != kExitDone) return;
    const capture::CapturePacket& packet = judged.packet;
    const Judgement& judgement = judged.judgement;
    Phase& phase = phases_.at(judged.phase);
    const PacketRecord record{.number = packet.number,
                              .stamp_ns = packet.stamp_ns,
                              .wire_length = packet.wire_length,
                              .judgement = judgement,
                              .tunnel = TunnelOf(judgement.packet, packet.data, overlays_)};
    summary_.Add(record);
    if (!jsonl_ && writer_ == nullptr) return;
    static const Explainer::Why& kNothing = *new Explainer::Why;
    const Explainer::Why& why =
        SaidByPolicy(judgement) ? phase.explainer.Of(ConnectionKey(judged.asked, judgement.reply))
                                : kNothing;
    if (jsonl_) AppendJsonLine(record, phase.names, why.json, text_);
    if (writer_ == nullptr) return;
    const bool allowed = judgement.verdict.allowed != 0;
    const absl::Status written = writer_->Write(
        packet, allowed, allowed ? "" : DenyComment(record, phase.names, why.denial));
    if (!written.ok()) WriteFailed(written);
  }

  void Report(const capture::CaptureCounts& counts) {
    std::string text;
    if (flags_.output == "table") text = summary_.AsTable(phase_->names);
    if (flags_.output == "csv") text = summary_.AsCsv(phase_->names);
    if (flags_.output == "json") text = summary_.AsJson(phase_->names);
    if (!WriteOut(text)) exit_status_ = kExitEnvironment;
    PrintNotes(counts);
  }

  void PrintNotes(const capture::CaptureCounts& counts) const;
  uint64_t phase_number() const { return std::prev(next_phase_)->first; }

  const ReplayFlags& flags_;
  const Overlays* const overlays_;
  Phases phases_;
  Phases::iterator next_phase_;
  Phase* phase_;
  Worker worker_;
  const bool jsonl_;
  std::unique_ptr<capture::CaptureWriter> writer_;
  std::vector<Pending> pending_;
  std::vector<uint8_t> bytes_;
  uint64_t now_ns_ = 0;  // of what is pending
  std::string text_;
  ReplayQueue queue_{ReplayQueue::Limits{}};
  uint64_t given_up_ = 0;  // datagrams, because too much waited for them
  ReplaySummary summary_;
  int exit_status_ = kExitDone;
};

// What a reader of the verdicts should know about the capture.
void Replay::PrintNotes(const capture::CaptureCounts& counts) const {
  const auto note = [this](const std::string& what, uint64_t count, const std::string& more) {
    if (count == 0) return;
    PrintError(flags_.trace + ": note: " + what + ": " + std::to_string(count) + more);
  };
  note("snapped packets, captured shorter than they were", counts.snapped,
       "; those that lack a needed header are denied as truncated");
  note("packets that are earlier than one before them",
       counts.time_backwards > 1 ? counts.time_backwards : 0, "");
  const uint64_t bad_checksums = summary_.CountOf(false, Reason::kChecksum);
  note("packets with a wrong checksum", bad_checksums * 20 > summary_.packets() ? bad_checksums : 0,
       "; a host that leaves checksums to its network card captures them so, and --checksums ip or "
       "--checksums ignore judges them");
  note("packets that would have begun a connection when the table was full",
       worker_.counts().table_full, "; --flows-max sets its size");
  note("packets that would have begun more connections than one source may",
       worker_.counts().source_full, "; --flows-per-source sets their number");
  note("datagrams that were given up because too many packets waited for them", given_up_,
       "; their fragments are denied as frag_incomplete");
  note("packets of flows that the summary left out", summary_.packets_beyond_flows(), "");
  if (next_phase_ != phases_.end()) {
    PrintError(flags_.trace + ": note: --update " + std::to_string(next_phase_->first) +
               " was never reached; the capture has " + std::to_string(summary_.packets()) +
               " packets");
  }
}

// Loads and compiles what one --update names, or the first inputs. False: `exit_status` says why.
bool AddPhase(const ReplayFlags& flags, uint64_t first_packet, std::vector<std::string> paths,
              Phases& phases, int& exit_status) {
  InputFlags input = flags.input;
  input.paths = std::move(paths);
  CompiledInput compiled = CompileInput(input);
  if (!compiled.program.has_value()) {
    exit_status = compiled.exit_status;
    return false;
  }
  const Snapshot& snapshot = *compiled.input.snapshot;
  phases.emplace(first_packet,
                 Phase{*compiled.program, AddressNames(snapshot),
                       Explainer(*compiled.program, snapshot, ToClassifyOptions(flags.judge))});
  return true;
}

std::pair<uint64_t, std::vector<std::string>> ParseUpdate(const std::string& text) {
  const size_t equals = text.find('=');
  const auto number = ParseNumber(std::string_view(text).substr(0, equals), UINT32_MAX);
  if (equals == std::string::npos || !number.has_value() || *number == 0) {
    throw BadUsage("--update: needs N=PATH,PATH with a packet number from 1 (" +
                   EscapeForMessage(text) + ")");
  }
  return {*number, SplitPaths("--update", std::string_view(text).substr(equals + 1))};
}

}  // namespace

int RunReplay(const ReplayFlags& flags) {
  std::map<uint64_t, std::vector<std::string>> inputs{{0, flags.input.paths}};
  for (const std::string& update : flags.updates) {
    auto [number, paths] = ParseUpdate(update);
    if (!inputs.emplace(number, std::move(paths)).second) {
      throw BadUsage("--update: names packet " + std::to_string(number) + " twice");
    }
  }
  const std::optional<Overlays> overlays = OverlaysOf(flags.worker);
  Phases phases;
  for (auto& [number, paths] : inputs) {
    int exit_status = kExitDone;
    if (!AddPhase(flags, number, std::move(paths), phases, exit_status)) return exit_status;
  }
  return Replay(flags, overlays.has_value() ? &*overlays : nullptr, std::move(phases)).Run();
}

void AddReplayVerb(CommandLine& line) {
  Verb verb = line.AddVerb("replay", "verdicts for the packets of a capture");
  auto flags = std::make_shared<ReplayFlags>();
  AddInputFlags(verb, flags->input);
  AddJudgeFlags(verb, flags->judge);
  verb.AddText("-r,--read", flags->trace, "the capture: pcap or pcapng, .gz and - are read")
      .Required();
  verb.AddChoice("-o,--output", flags->output, {"table", "csv", "json", "jsonl"},
                 "table, csv, json: flows and a summary; jsonl: one line for each packet");
  verb.AddText("-w,--write", flags->annotated,
               "write the capture with each packet's verdict, as pcapng");
  verb.AddTexts("--update", flags->updates,
                "N=PATH,PATH: before packet N these inputs replace the ones before; repeatable")
      .SeveralAtOnce();
  AddWorkerFlags(verb, flags->worker);
  verb.SetFooter(
      "Example:\n"
      "  npf replay -f policies.yaml -f cluster.yaml -r trace.pcap\n"
      "  npf replay -f policies/ -r trace.pcap -o jsonl | jq 'select(.verdict == \"deny\")'\n"
      "  npf replay -f policies/ -r trace.pcap -w judged.pcapng\n"
      "  npf replay -f policies/ -r wire.pcap --overlay vxlan,vni=1,endpoints=192.168.0.0/24\n"
      "  tshark -r judged.pcapng -Y 'frame.comment contains \"policy\"'");
  verb.OnRun([flags] { return RunReplay(*flags); });
}

}  // namespace npf::tools

#include "wire_worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <optional>
#include <string>

#include "npf/opaque.h"

namespace npf::appliance {
namespace {

constexpr unsigned kInboxFrames = 4096;
constexpr unsigned kCyclesShift = 24;

PacketView ViewOf(const rte_mbuf& frame) {
  return {.data = rte_pktmbuf_mtod(&frame, const uint8_t*),
          .length = rte_pktmbuf_data_len(&frame),
          .wire_length = rte_pktmbuf_pkt_len(&frame)};
}

// A tag that the port took off belongs to the frame. What is in pieces is joined where the first
// one has room; else it is judged by that one, and what is missing cannot be read.
bool Complete(rte_mbuf*& frame) {
  if (frame->nb_segs > 1) rte_pktmbuf_linearize(frame);
  if ((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
    if (rte_vlan_insert(&frame) != 0) return false;
  }
  frame->ol_flags &= ~RTE_MBUF_F_RX_VLAN_STRIPPED;
  return true;
}

}  // namespace

uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

WireWorker::WireWorker(uint32_t number, const WireShared& shared, const Program& program,
                       DecisionCounts* decisions, const WorkerOptions& options)
    : number_(number),
      shared_(shared),
      worker_(program, options),
      decisions_(decisions),
      rejects_(shared.pool),
      parse_{.vlan = options.vlan, .checksums = options.checksums, .overlays = options.overlays},
      ns_of_cycles_((uint64_t{1'000'000'000} << kCyclesShift) / rte_get_tsc_hz()) {
  const std::string name = "inbox" + std::to_string(number);
  if (shared_.mode == Mode::kAudit) denied_openings_ = std::make_unique<DeniedOpenings>();
  inbox_ = rte_ring_create(name.c_str(), kInboxFrames, SOCKET_ID_ANY, RING_F_SC_DEQ);
  if (inbox_ == nullptr) throw std::bad_alloc();
  uint16_t highest = 0;
  for (const Port& port : shared_.ports) {
    peer_[port.id] = port.peer;
    highest = std::max(highest, port.id);
  }
  outgoing_.resize(highest + size_t{1});
  counters_.ports = std::vector<PortLosses>(highest + size_t{1});
  if (shared_.packet_clock) {
    rte_mbuf_dyn_rx_timestamp_register(&stamp_offset_, &stamp_flag_);
  }
  counters_.generation.store(worker_.generation(), std::memory_order_release);
}

WireWorker::~WireWorker() { rte_ring_free(inbox_); }

void WireWorker::Run(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    counters_.loops.Add(1);
    if (Turn()) {
      counters_.busy_loops.Add(1);
    } else {
      rte_pause();
    }
  }
  FlushAll();
}

bool WireWorker::Turn() {
  const uint64_t began = rte_rdtsc();
  if (mailbox_.load(std::memory_order_relaxed) != nullptr) TakeDelivery();
  if (Listing* const listing = listing_.load(std::memory_order_acquire); listing != nullptr) {
    GoOnListing(*listing);
  }
  now_ns_ = MonotonicNs();
  counters_.heartbeat_ns.Set(now_ns_);
  bool busy = false;
  Burst burst;
  if (number_ < shared_.receive_queues) {
    for (const Port& port : shared_.ports) {
      const auto queue = static_cast<uint16_t>(number_);
      const uint16_t count = rte_eth_rx_burst(port.id, queue, burst.data(), kBurst);
      if (count == 0) continue;
      busy = true;
      Receive(port, burst, count);
    }
  }
  if (shared_.workers > 1) {
    const unsigned count =
        rte_ring_sc_dequeue_burst(inbox_, reinterpret_cast<void**>(burst.data()), kBurst, nullptr);
    if (count != 0) Judge(burst, static_cast<uint16_t>(count));
    busy = busy || count != 0;
  }
  if (!busy) Judge(burst, 0);
  FlushAll();
  if (busy) burst_times_.Add((rte_rdtsc() - began) * ns_of_cycles_ >> kCyclesShift);
  return busy;
}

void WireWorker::TakeDelivery() {
  Delivery* const delivery = mailbox_.exchange(nullptr, std::memory_order_acquire);
  worker_.Replace(delivery->program);
  worker_.SetSources(delivery->sources);
  decisions_ = delivery->decisions;
  counters_.generation.store(worker_.generation(), std::memory_order_release);
}

void WireWorker::GoOnListing(Listing& listing) {
  std::array<KnownConnection, 384> some;
  const size_t count = worker_.List(listing.part, some);
  for (size_t i = 0; i < count && listing.connections.size() < listing.limit; ++i) {
    listing.connections.push_back(some[i]);
  }
  if (listing.part != 0 && listing.connections.size() < listing.limit) return;
  listing_.store(nullptr, std::memory_order_relaxed);
  listing.done.store(true, std::memory_order_release);
}

// To whom each frame belongs. Where there is one worker, all are its own.
void WireWorker::Receive(const Port& port, Burst& burst, uint16_t count) {
  uint16_t own = 0;
  for (uint16_t i = 0; i < count; ++i) {
    rte_mbuf* frame = burst[i];
    if (!Complete(frame)) {
      counters_.by_reason[static_cast<size_t>(Reason::kTruncated)][0].Add(1);
      rte_pktmbuf_free(frame);
      continue;
    }
    frame->port = port.id;
    if (shared_.workers > 1) {
      const PacketView view = ViewOf(*frame);
      const uint32_t owner = OwnerOf(view, ParsePacket(view, {.checksums = Checksums::kIgnore}),
                                     shared_.owner_secret, shared_.workers);
      if (owner != number_) {
        if (rte_ring_mp_enqueue(inboxes_[owner], frame) != 0) {
          counters_.ports[port.id].not_handed.Add(1);
          rte_pktmbuf_free(frame);
        }
        continue;
      }
    }
    burst[own++] = frame;
  }
  if (own != 0) Judge(burst, own);
}

uint64_t WireWorker::TimeOf(rte_mbuf* frame) const {
  if (stamp_offset_ < 0 || (frame->ol_flags & stamp_flag_) == 0) return now_ns_;
  return *RTE_MBUF_DYNFIELD(frame, stamp_offset_, rte_mbuf_timestamp_t*) * 1'000;
}

// Packets that bear their own time are judged at it, as `npf replay` does: those to within a tick
// of 2^20 ns at once.
void WireWorker::Judge(Burst& burst, uint16_t count) {
  if (!shared_.packet_clock || count == 0) return JudgeBatch(burst, count, now_ns_);
  Burst part;
  uint16_t size = 0;
  uint64_t time_ns = 0;
  for (uint16_t i = 0; i < count; ++i) {
    const uint64_t next_ns = TimeOf(burst[i]);
    if (size != 0 && next_ns >> 20 != time_ns >> 20) {
      JudgeBatch(part, size, time_ns);
      size = 0;
    }
    time_ns = next_ns;
    part[size++] = burst[i];
  }
  JudgeBatch(part, size, time_ns);
}

// In audit: answers to what policy denied. In the worker they would begin connections that are not
// there where the first packet does not pass. Gives how many others there are.
uint16_t WireWorker::SetAnswersAside(Burst& burst, uint16_t count, uint64_t now_ns) {
  uint16_t others = 0;
  for (uint16_t i = 0; i < count; ++i) {
    rte_mbuf* const frame = burst[i];
    Judgement judgement{.packet = ParsePacket(ViewOf(*frame), parse_), .reply = true};
    const std::optional<Reason> reason = denied_openings_->ReasonOfAnswer(judgement.packet, now_ns);
    if (!reason.has_value()) {
      burst[others++] = frame;
      continue;
    }
    judgement.verdict = {.cell = kNoCell, .reason = static_cast<uint8_t>(*reason)};
    if (shared_.sink != nullptr) {
      shared_.sink->Tell(number_, judgement, rte_pktmbuf_pkt_len(frame), now_ns);
    }
    Count(judgement.verdict, judgement.packet.key, true, frame->port);
    PassOn(frame, false);
  }
  return others;
}

// In audit: what follows a denied opening is denied for the same reason.
Verdict WireWorker::Audited(const Judgement& judgement, uint64_t now_ns) {
  Verdict verdict = judgement.verdict;
  const FlowKey& key = judgement.packet.key;
  const auto reason = static_cast<Reason>(verdict.reason);
  if (verdict.allowed != 0) {
    denied_openings_->Remove(key);
  } else if (IsOfPolicy(reason) && verdict.cell != kNoCell) {
    denied_openings_->Add(key, reason, now_ns);
  } else if (reason == Reason::kNoState) {
    const std::optional<Reason> opening = denied_openings_->ReasonOf(key, now_ns);
    verdict.reason = static_cast<uint8_t>(opening.value_or(reason));
  }
  return verdict;
}

void WireWorker::JudgeBatch(Burst& burst, uint16_t count, uint64_t now_ns) {
  if (denied_openings_ != nullptr) count = SetAnswersAside(burst, count, now_ns);
  for (uint16_t i = 0; i < count; ++i)
    frames_[i] = {.packet = ViewOf(*burst[i]), .port = burst[i]->port};
  worker_.Process({frames_.data(), count}, now_ns, {judgements_.data(), count});
  for (uint16_t i = 0; i < count; ++i) {
    if (denied_openings_ != nullptr && judgements_[i].held == 0) {
      judgements_[i].verdict = Audited(judgements_[i], now_ns);
    }
    if (shared_.sink != nullptr) {
      shared_.sink->Tell(number_, judgements_[i], rte_pktmbuf_pkt_len(burst[i]), now_ns);
    }
    Settle(burst[i], judgements_[i]);
  }
  Release();
  const WorkerCounts counts = worker_.counts();
  counters_.flows.Set(counts.flows);
  counters_.openings.Set(counts.openings);
}

void WireWorker::Settle(rte_mbuf* frame, const Judgement& judgement) {
  if (judgement.held != 0) {
    if (held_.Add(judgement.held, frame)) return;
    // No more can be held: the datagram is given up, and with it what was held of it.
    const Reason reason = Reason::kFragmentIncomplete;
    const Verdict denied{.cell = kNoCell, .reason = static_cast<uint8_t>(reason)};
    const auto drop = [&](rte_mbuf* part) {
      Count(denied, judgement.packet.key, false, part->port);
      PassOn(part, false);
    };
    held_.Release(judgement.held, drop);
    drop(frame);
    if (shared_.sink != nullptr) {
      shared_.sink->Settle(number_, {.ticket = judgement.held, .verdict = denied});
    }
    return worker_.GiveUp(judgement.held);
  }
  if (shared_.opaque_pass && IsOpaque(judgement.packet)) counters_.opaque.Add(1);
  Count(judgement.verdict, judgement.packet.key, judgement.reply, frame->port);
  if (shared_.reject && judgement.verdict.allowed == 0) Reject(*frame, judgement);
  PassOn(frame, judgement.verdict.allowed != 0);
}

void WireWorker::Reject(const rte_mbuf& frame, const Judgement& judgement) {
  if (!IsOfPolicy(static_cast<Reason>(judgement.verdict.reason))) return;
  rte_mbuf* const answer = rejects_.AnswerTo(frame, judgement.packet, now_ns_);
  if (answer == nullptr) return;
  counters_.rejects.Add(1);
  Send(frame.port, answer);
}

void WireWorker::Count(const Verdict& verdict, const FlowKey& key, bool reply, uint16_t port) {
  counters_.by_reason[verdict.reason][verdict.allowed != 0 ? 1 : 0].Add(1);
  if (verdict.cell != kNoCell) {
    decisions_->Add(verdict, key);
    Seen seen{.key = key, .port = port, .reserved = 0};
    rte_ring_enqueue_elem(shared_.seen, &seen, sizeof seen);
  }
  if (verdict.allowed != 0) return;
  Denial denial{.time_ns = now_ns_,
                .key = key,
                .reason = static_cast<Reason>(verdict.reason),
                .reply = reply,
                .port = port};
  if (rte_ring_enqueue_elem(shared_.denials, &denial, sizeof denial) != 0) counters_.untold.Add(1);
}

void WireWorker::PassOn(rte_mbuf* frame, bool allowed) {
  const bool passes = shared_.mode == Mode::kAudit || (allowed && shared_.mode == Mode::kEnforce);
  if (!passes) return rte_pktmbuf_free(frame);
  Send(peer_[frame->port], frame);
}

void WireWorker::Send(uint16_t to, rte_mbuf* frame) {
  Outgoing& out = outgoing_[to];
  out.frames[out.count++] = frame;
  if (out.count == kBurst) Flush(to);
}

// What becomes of fragments that were held.
void WireWorker::Release() {
  for (const npf::Release& release : worker_.released()) {
    if (shared_.sink != nullptr) shared_.sink->Settle(number_, release);
    held_.Release(release.ticket, [&](rte_mbuf* frame) {
      Count(release.verdict, release.key, release.reply, frame->port);
      PassOn(frame, release.verdict.allowed != 0);
    });
  }
}

void WireWorker::Flush(uint16_t id) {
  constexpr int kTries = 8;
  Outgoing& out = outgoing_[id];
  uint16_t sent = 0;
  for (int i = 0; i < kTries && sent < out.count; ++i) {
    sent = static_cast<uint16_t>(sent + rte_eth_tx_burst(id, static_cast<uint16_t>(number_),
                                                         out.frames.data() + sent,
                                                         static_cast<uint16_t>(out.count - sent)));
  }
  counters_.ports[id].not_sent.Add(static_cast<uint64_t>(out.count - sent));
  for (; sent < out.count; ++sent) rte_pktmbuf_free(out.frames[sent]);
  out.count = 0;
}

void WireWorker::FlushAll() {
  for (const Port& port : shared_.ports) {
    if (outgoing_[port.id].count != 0) Flush(port.id);
  }
}

}  // namespace npf::appliance

#include "simulator/model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace npf::simulator {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kTickNs = 1 << 24;

// RFC 5382, REQ-5; RFC 4787, REQ-5; flow_table.h.
uint64_t IdleNs(const Connection& connection) {
  const uint8_t protocol = connection.first.protocol;
  if (protocol == kProtocolTcp) {
    const bool transitory = connection.IsOpening() || (connection.fin[0] && connection.fin[1]);
    return (transitory ? 240 : 2 * 3600 + 4 * 60) * kSecondNs;
  }
  const bool icmp = protocol == kProtocolIcmp || protocol == kProtocolIcmpv6;
  return (icmp ? 30 : 300) * kSecondNs;
}

// A packet that may belong to a connection.
bool IsTracked(const Wire& wire) {
  return !wire.IsLaterFragment() && (!wire.IsIcmp() || wire.IsEcho());
}

// What answers something, or ends it: no connection begins so, in the middle either.
bool AnswersOrEnds(const Wire& wire) {
  if (wire.IsEcho()) return true;
  if (wire.key.protocol == kProtocolTcp) return wire.Has(kSyn) || wire.Has(kRst);
  return wire.chunk == kInitAck || wire.chunk == kAbort || wire.chunk == kShutdownComplete;
}

size_t QuarterIfZero(size_t given, size_t flows_max) {
  return given != 0 ? given : std::max<size_t>(flows_max / 4, 1);
}

}  // namespace

std::string ToString(const Answer& answer) {
  std::string text =
      absl::StrCat(answer.allowed ? "allow " : "deny ", std::string(Name(answer.reason)),
                   answer.reply ? " reply" : "", " generation ", answer.generation);
  if (answer.reason == Reason::kEstablished || answer.reason == Reason::kRelated) {
    absl::StrAppend(&text, " flow ", std::string(Name(answer.flow_reason)));
  }
  return text;
}

Model::Model(const WorkerOptions& options, Policy policy)
    : options_(options), policy_(std::move(policy)) {
  options_.openings_max = QuarterIfZero(options_.openings_max, options_.flows_max);
  options_.flows_per_source_max = QuarterIfZero(options_.flows_per_source_max, options_.flows_max);
}

// Ticks count from the first time that is told, and anew after a pause that nothing outlives.
void Model::Advance(uint64_t now_ns) {
  constexpr uint64_t kPause = (uint64_t{1} << 20) + 1;
  if (!told_) base_ns_ = now_ns_ = now_ns;
  told_ = true;
  if (now_ns <= now_ns_) return;
  const bool paused = (now_ns - now_ns_) / kTickNs >= kPause;
  if (paused) {
    totals_.expired += connections_.size();
    connections_.clear();
    base_ns_ = now_ns;
  }
  now_ns_ = now_ns;
  totals_.expired += std::erase_if(
      connections_, [this](const auto& entry) { return entry.second.expires_tick <= Tick(); });
  std::erase_if(datagrams_,
                [this](const auto& entry) { return entry.second.expires_ns <= now_ns_; });
}

ModelCounts Model::counts() const {
  ModelCounts counts = totals_;
  counts.flows = connections_.size();
  counts.openings = Openings();
  return counts;
}

size_t Model::Openings() const {
  return static_cast<size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& entry) { return entry.second.IsOpening(); }));
}

std::vector<uint64_t> Model::Expiries() const {
  std::vector<uint64_t> expiries;
  for (const auto& [key, connection] : connections_) {
    expiries.push_back(base_ns_ + connection.expires_tick * kTickNs);
  }
  for (const auto& [name, datagram] : datagrams_) expiries.push_back(datagram.expires_ns);
  return expiries;
}

const Connection* Model::Find(const Key& key) const {
  auto found = connections_.find(key);
  if (found == connections_.end()) found = connections_.find(key.Reversed());
  return found == connections_.end() ? nullptr : &found->second;
}

Model::Connections::iterator Model::Look(const Key& key) {
  const auto found = connections_.find(key);
  return found != connections_.end() ? found : connections_.find(key.Reversed());
}

Answer Model::Ask(const Key& key) const {
  const PolicyAnswer answer = policy_(generation_, key);
  return {.allowed = answer.allowed, .reason = answer.reason, .generation = generation_};
}

Answer Model::AllowAs(Reason reason, const Connection& connection, bool reply) const {
  return {.allowed = true,
          .reason = reason,
          .reply = reply,
          .generation = connection.generation,
          .flow_reason = connection.reason};
}

Answer Model::Judge(const Wire& wire) {
  const bool is_init = wire.chunk == kInit;
  if (wire.key.protocol == kProtocolSctp && !wire.IsLaterFragment() && is_init != (wire.tag == 0)) {
    const Answer answer = Deny(Reason::kMalformed);  // RFC 9260, 8.5.1
    if (wire.part.has_value() && FindDatagram(wire) == nullptr) KeepDatagram(wire, answer);
    return answer;
  }
  if (wire.IsLaterFragment()) return JudgeLaterFragment(wire);
  if (wire.part.has_value()) return JudgeFirstFragment(wire);
  Answer answer;
  if (wire.quoted != nullptr && JudgeError(wire, answer)) return answer;
  return JudgeWhole(wire);
}

Answer Model::JudgeWhole(const Wire& wire) {
  if (!IsTracked(wire)) return Ask(wire.key);
  const auto found = Look(wire.key);
  return found == connections_.end() ? JudgeFirstPacket(wire) : JudgeOfConnection(found, wire);
}

// No connection is known.
Answer Model::JudgeFirstPacket(const Wire& wire) {
  const Answer verdict = Ask(wire.key);
  // "not_a_pod" and "loopback" stand without memory (R36, R54).
  const bool stands = verdict.allowed &&
                      (verdict.reason == Reason::kNotAPod || verdict.reason == Reason::kLoopback);
  if (stands) return verdict;
  if (!wire.Starts()) return JudgeMidstream(wire);
  return verdict.allowed ? Remember(wire, false, verdict) : verdict;
}

// Either end may have begun (A61).
Answer Model::JudgeMidstream(const Wire& wire) {
  if (!options_.midstream_allow || AnswersOrEnds(wire)) return Deny(Reason::kNoState);
  const Answer forward = Ask(wire.key);
  if (forward.allowed) return Remember(wire, false, forward);
  Answer backward = Ask(wire.key.Reversed());
  if (!backward.allowed) return forward;
  backward.reply = true;
  return Remember(wire, true, backward);
}

Answer Model::JudgeOfConnection(Connections::iterator found, const Wire& wire) {
  Connection& connection = found->second;
  const int side = found->first == wire.key ? 0 : 1;
  if (wire.SaysItStarts() && (side == 1 || connection.HasEnd())) return JudgeStart(found, wire);
  Answer answer = Deny(Reason::kPolicy);
  if (!IsStillAllowed(connection, answer)) {
    connections_.erase(found);
    answer.reply = side == 1;
    return answer;
  }
  answer = AllowAs(Reason::kEstablished, connection, side == 1);
  if (Take(found, side, wire) != Effect::kRefused) return answer;
  const bool tcp = wire.key.protocol == kProtocolTcp;
  answer = Deny(tcp ? Reason::kTcpWindow : Reason::kSctpTag);
  answer.reply = side == 1;
  return answer;
}

// It asks for a connection of its own, against the direction of a known one (A67), or after the end
// of one (A68): policy decides, in its own direction.
Answer Model::JudgeStart(Connections::iterator found, const Wire& wire) {
  Answer verdict = Ask(wire.key);
  const bool reply = !(found->first == wire.key);
  if (verdict.allowed && found->second.HasEnd()) {
    connections_.erase(found);
    return Remember(wire, false, verdict);
  }
  verdict.reply = reply;
  if (!verdict.allowed) return verdict;
  Take(found, reply ? 1 : 0, wire);
  return verdict;
}

// A change of policy judges a connection again before its next packet, by its first one.
bool Model::IsStillAllowed(Connection& connection, Answer& denial) const {
  if (options_.established_keep || connection.generation == generation_) return true;
  const Answer verdict = Ask(connection.first);
  connection.generation = generation_;
  connection.reason = verdict.reason;
  if (!verdict.allowed) denial = verdict;
  return verdict.allowed;
}

// "An ICMP error belongs to what it quotes" (A76), where its receiver can have sent that. False: it
// quotes no known connection.
bool Model::JudgeError(const Wire& wire, Answer& answer) {
  const Wire& quoted = *wire.quoted;
  if (!IsTracked(quoted)) return false;
  const auto found = Look(quoted.key);
  if (found == connections_.end()) return false;
  Connection& connection = found->second;
  const int side = found->first == quoted.key ? 0 : 1;
  bool may_have_sent = wire.key.dst == quoted.key.src;
  if (quoted.key.protocol == kProtocolTcp) {
    may_have_sent = may_have_sent && MayBeUnderWay(connection, side, quoted.sequence);
  }
  if (quoted.key.protocol == kProtocolSctp) {
    may_have_sent = may_have_sent && MayBearTag(connection, side, quoted.tag);
  }
  if (!may_have_sent) {
    answer = Deny(Reason::kIcmpMismatch);
  } else if (IsStillAllowed(connection, answer)) {
    answer = AllowAs(Reason::kRelated, connection, side == 0);
  } else {
    connections_.erase(found);
  }
  return true;
}

void Model::Renew(Connection& connection) const {
  connection.expires_tick = Tick() + (IdleNs(connection) + kTickNs - 1) / kTickNs + 1;
}

Effect Model::Take(Connections::iterator found, int side, const Wire& wire) {
  Connection& connection = found->second;
  Effect effect = Effect::kGoesOn;
  if (wire.key.protocol == kProtocolTcp) {
    effect = TakeTcp(connection, side, wire);
  } else if (wire.key.protocol == kProtocolSctp) {
    effect = TakeSctp(connection, side, wire);
  } else if (side == 1) {
    connection.phase = Phase::kEstablished;  // it has been answered
  }
  if (effect == Effect::kGoesOn) Renew(connection);
  if (effect == Effect::kEnds) connections_.erase(found);
  return effect;
}

// `verdict` is what policy allowed; where there is no room, it becomes a denial.
Answer Model::Remember(const Wire& wire, bool reply, const Answer& verdict) {
  Connection connection;
  connection.first = reply ? wire.key.Reversed() : wire.key;
  const int side = reply ? 1 : 0;
  if (wire.key.protocol == kProtocolTcp) BeginTcp(connection, side, wire);
  if (wire.key.protocol == kProtocolSctp) BeginSctp(connection, side, wire);
  connection.begun = begun_++;
  connection.generation = generation_;
  connection.reason = verdict.reason;
  Renew(connection);
  const auto of_source =
      std::count_if(connections_.begin(), connections_.end(), [&](const auto& entry) {
        return entry.first.family == connection.first.family &&
               entry.first.src == connection.first.src;
      });
  Answer denial = Deny(Reason::kSourceFull);
  denial.reply = verdict.reply;
  if (static_cast<size_t>(of_source) >= options_.flows_per_source_max) {
    ++totals_.source_full;
    return denial;
  }
  if (!MakeRoom(connection.IsOpening())) {
    ++totals_.table_full;
    denial.reason = Reason::kTableFull;
    return denial;
  }
  connections_.emplace(connection.first, connection);
  return verdict;
}

// "The oldest makes room. Established connections are never dropped for one."
bool Model::MakeRoom(bool opening) {
  const size_t openings = Openings();
  const bool many = opening && openings >= options_.openings_max;
  const bool full = connections_.size() >= options_.flows_max;
  if (many || (full && openings != 0)) {
    DropOldestOpening();
    return true;
  }
  return !full;
}

void Model::DropOldestOpening() {
  auto oldest = connections_.end();
  for (auto entry = connections_.begin(); entry != connections_.end(); ++entry) {
    if (!entry->second.IsOpening()) continue;
    if (oldest == connections_.end() || entry->second.begun < oldest->second.begun) oldest = entry;
  }
  connections_.erase(oldest);
}

}  // namespace npf::simulator

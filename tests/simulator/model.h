// A Worker as npf/worker.h and the headers of conntrack describe it, in the plainest form: a map
// from exact 5-tuples, a list of datagrams, numbers that do not wrap. It is told what packets say
// and what policy says, and parses, hashes and batches nothing.
#ifndef NPF_TESTS_SIMULATOR_MODEL_H_
#define NPF_TESTS_SIMULATOR_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "npf/worker.h"
#include "simulator/connection.h"
#include "simulator/wire.h"

namespace npf::simulator {

struct PolicyAnswer {
  bool allowed = false;
  Reason reason = Reason::kPolicy;
};
// What the policy of a generation says of the first packet of a connection.
using Policy = std::function<PolicyAnswer(uint32_t generation, const Key& key)>;

struct Answer {
  bool allowed = false;
  Reason reason = Reason::kPolicy;
  bool reply = false;
  uint32_t generation = 0;
  Reason flow_reason = Reason::kPolicy;  // where the reason is kEstablished or kRelated
  bool operator==(const Answer&) const = default;
};
std::string ToString(const Answer& answer);

struct ModelCounts {
  size_t flows = 0;  // that have not expired
  size_t openings = 0;
  size_t expired = 0;  // so far: those that a Worker may still count
  uint64_t table_full = 0;
  uint64_t source_full = 0;
};

class Model {
 public:
  Model(const WorkerOptions& options, Policy policy);

  // The time of what follows.
  void Advance(uint64_t now_ns);
  Answer Judge(const Wire& wire);
  void Replace() { ++generation_; }

  uint32_t generation() const { return generation_; }
  ModelCounts counts() const;
  // Whatever side `key` names; null where none is known. For who wants to forge.
  const Connection* Find(const Key& key) const;
  // When connections and datagrams expire, if nothing comes.
  std::vector<uint64_t> Expiries() const;

 private:
  // Of a datagram in fragments: what became of its first one.
  struct Datagram {
    uint64_t expires_ns = 0;
    uint64_t begun = 0;
    Key judged;
    Answer answer;
    std::set<uint32_t> passed;  // units of eight bytes
    size_t parts = 0;
    uint32_t end = 0;  // 0: not known
    bool poisoned = false;

    bool Cover(const Part& part);
    bool IsComplete() const { return !poisoned && end != 0 && passed.size() == end; }
  };
  // IPv4's protocol; IPv6 fragments may differ in it.
  using DatagramName = std::tuple<uint8_t, uint8_t, uint8_t, uint8_t, uint16_t, uint16_t>;
  using Connections = std::map<Key, Connection>;

  Answer Deny(Reason reason) const { return {.reason = reason, .generation = generation_}; }
  Answer Ask(const Key& key) const;
  Answer JudgeWhole(const Wire& wire);
  Answer JudgeFirstPacket(const Wire& wire);
  Answer JudgeMidstream(const Wire& wire);
  Answer JudgeFirstFragment(const Wire& wire);
  Answer JudgeLaterFragment(const Wire& wire);
  Answer JudgeOfConnection(Connections::iterator found, const Wire& wire);
  Answer JudgeStart(Connections::iterator found, const Wire& wire);
  bool JudgeError(const Wire& wire, Answer& answer);
  bool IsStillAllowed(Connection& connection, Answer& denial) const;
  Answer AllowAs(Reason reason, const Connection& connection, bool reply) const;

  Answer Remember(const Wire& wire, bool reply, const Answer& verdict);
  bool MakeRoom(bool opening);
  void DropOldestOpening();
  Effect Take(Connections::iterator found, int side, const Wire& wire);
  Connections::iterator Look(const Key& key);
  uint64_t Tick() const { return (now_ns_ - base_ns_) >> 24; }
  void Renew(Connection& connection) const;
  size_t Openings() const;

  static DatagramName NameOf(const Wire& wire);
  void KeepDatagram(const Wire& wire, const Answer& answer);
  Datagram* FindDatagram(const Wire& wire);

  WorkerOptions options_;
  Policy policy_;
  uint32_t generation_ = 1;
  bool told_ = false;
  uint64_t base_ns_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t begun_ = 0;
  Connections connections_;  // by the key of the first packet
  std::map<DatagramName, Datagram> datagrams_;
  ModelCounts totals_;  // without flows and openings
};

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_MODEL_H_

// The bytes of a Program: the only thing that the compiler and the runtime share.
//
//   +--------------+-----------------+-----------+-----------+-- - - -+
//   | ImageHeader  | SectionEntry    | section   | section   |        |
//   | 128 bytes    | x kSectionCount | aligned to a line or a page   |
//   +--------------+-----------------+-----------+-----------+-- - - -+
//
// A section of a page or more begins at a page: docs/decisions/updates.md says what for.
//
// An image holds no pointers: sections refer to each other by index. It is written in the byte
// order of the machine and refused by a machine of the other order. Widths that could overflow
// stand in the header (leaf_bytes, pair_cell_bytes, port_class_bytes, bitset_words) and are chosen
// by the compiler, so that nothing wraps at 65,536.
//
// How an IPv4 packet is judged (the IPv6 one differs in the first step only):
//
//   source ------> trie 16-8-8 --> class s --+
//   destination -> trie 16-8-8 --> class d --+--> pair table --> cell --> outcomes of the cell
//   protocol --> Protocol; port --> port index --> port class p ---> outcome p: verdict, reason
//
// A class is a set of addresses that no policy tells apart; a port class is a set of ports that no
// policy tells apart. A cell is what a pair of classes shares with every pair that is judged alike:
// an egress decision, an ingress decision, and what they come to together, four bits a port class
// that are the number of an Outcome: verdict, directions and reason in one look-up. Tiers and
// priorities are in those bits already. Cells, decisions, rows and everything about names are cold:
// they serve one-direction hooks, explanations and updates.
//
// Invariants, each checked by VerifyImage: every index is below the count of what it indexes; class
// numbers below pod_class_count are pods, and only those; cell 0 is loopback, cell 1 is malformed.
#ifndef NPF_PROGRAM_LAYOUT_H_
#define NPF_PROGRAM_LAYOUT_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "npf/verdict.h"

namespace npf::layout {

inline constexpr char kMagic[8] = {'N', 'P', 'F', 'I', 'M', 'G', '\r', '\n'};
inline constexpr uint32_t kByteOrder = 0x01020304;
inline constexpr uint32_t kNone = 0xffffffff;
inline constexpr size_t kAlignment = 64;
inline constexpr size_t kPageBytes = 4096;

inline constexpr uint32_t kLoopbackCell = 0;
inline constexpr uint32_t kMalformedCell = 1;
inline constexpr uint32_t kOpenDecision = 0;  // no policy isolates the subject, or it is no pod
inline constexpr uint32_t kNoPortClass = 0;   // ICMP and every protocol without ports
inline constexpr uint32_t kProtocolCount = 256;
inline constexpr uint32_t kPortsPerProtocol = 65536;
inline constexpr uint32_t kTileColumns = 32;

enum class AddressKind : uint8_t { kPod, kNode, kService, kUnknownPod, kExternal };

enum SectionId : uint32_t {
  kV4Top,        // u32 or u64 [65536], by the first two bytes as memory has them: V4Entry of kV4Mid
  kV4Mid,        // u32 or u64: V4Entry of kV4Leaf
  kV4Leaf,       // u16 or u32: class
  kV6Pilots,     // u32, of kV6Places
  kV6Places,     // V6Place: exact addresses of pods and nodes
  kV6Highs,      // u64, sorted, from 0 on: first upper halves of intervals of all other addresses
  kV6Intervals,  // u32 by kV6Highs: class << 1, or number of a segment << 1 | 1
  kV6Segments,   // u32 [segment_count + 1] into kV6Lows: an upper half that is cut further
  kV6Lows,       // u64, sorted within a segment, from 0 on: first lower halves
  kV6LowClasses,  // u32 by kV6Lows: class
  kProtocols,     // Protocol[kProtocolCount], by IANA number
  kPortIndex,     // u8 or u16: port class, see Protocol
  kPairCells,    // u16 or u32: dense matrix [class_count][class_count], or tiles [..][kTileColumns]
  kPairTiles,    // u32 [class_count][tiles_per_row]: first cell of the tile, tiled only
  kPairPilots,   // u32, of kPairPlaces
  kPairPlaces,   // u64, see PairWord: pairs that are not their groups' default, hash only
  kSourceGroup,  // u32 by class: row of kDefaultCells, hash only
  kDestinationGroup,  // u32 by class: column of kDefaultCells, hash only
  kDefaultCells,      // u32 [source_group_count][destination_group_count], hash only
  kCellOutcomes,      // u64 [cell_count][outcome_words]: an OutcomeCode for each port class
  kCells,             // Cell
  kDecisions,         // Decision
  kBitsets,           // u32 [..][bitset_words]
  kClasses,           // ClassRecord
  kClassAtoms,        // u32, sorted within a class: atoms that the class is in
  kClassNamedPorts,   // NamedPort
  kRowOfClass,        // u32 [2][pod_class_count]: row by direction, kNone where not isolated
  kPeerGroup,         // u32 by class: classes that no cluster tier tells apart as peers
  kRowDefaults,       // u32 [..][peer_group_count]: decision for peers of a group
  kRows,              // Row
  kRowEntries,        // RowEntry, sorted by peer class within a row
  kEndpoints,         // Endpoint, sorted by family and address
  kPortClasses,       // PortClassRecord
  kPolicies,          // PolicyRecord
  kRules,             // RuleRecord
  kRulePorts,         // RulePort
  kRulePeers,         // RulePeer
  kAtoms,             // AtomRecord
  kStringOffsets,     // u32 [string_count + 1] into kStringBytes
  kStringBytes,       // UTF-8, no terminators
  kSectionCount,
};

struct SectionEntry {
  uint64_t offset = 0;  // from the start of the image
  uint64_t count = 0;   // elements
  uint32_t element_bytes = 0;
  uint32_t reserved = 0;
};
static_assert(sizeof(SectionEntry) == 24);

struct ImageHeader {
  char magic[8] = {};
  uint32_t byte_order = 0;
  uint32_t format_version = 0;
  uint64_t checksum = 0;  // of everything after this field
  uint64_t image_bytes = 0;
  uint32_t semantics_version = 0;
  uint32_t section_count = 0;
  uint32_t class_count = 0;
  uint32_t pod_class_count = 0;
  uint32_t cell_count = 0;
  uint32_t port_class_count = 0;
  uint32_t bitset_words = 0;  // ceil(port_class_count / 32)
  uint32_t tiles_per_row = 0;
  uint32_t source_group_count = 0;
  uint32_t destination_group_count = 0;
  uint32_t v6_hash_seed = 0;
  uint32_t pair_hash_seed = 0;
  uint8_t pair_kind = 0;         // PairKind
  uint8_t leaf_bytes = 0;        // 2 or 4
  uint8_t pair_cell_bytes = 0;   // 2 or 4
  uint8_t port_class_bytes = 0;  // 1 or 2
  uint32_t outcome_words = 0;    // OutcomeWords(port_class_count)
  uint32_t v4_entry_bytes = 0;   // 4 or 8
  uint32_t peer_group_count = 0;
  uint32_t reserved[8] = {};
};
static_assert(sizeof(ImageHeader) == 128);
inline constexpr size_t kChecksumFrom = offsetof(ImageHeader, image_bytes);

struct V6Place {  // of the hash of exact addresses
  uint8_t key[16];
  uint32_t address_class;  // kNone: empty
};
static_assert(sizeof(V6Place) == 20);

// A place of the hash of class pairs is a word: source and destination in as many bits as the
// number of classes takes, so that no pair is all ones, and the cell in what is left.
struct PairWord {
  static constexpr uint32_t kClassBitsMax = 31;
  uint32_t class_bits;

  static constexpr PairWord For(uint32_t class_count) {
    return {static_cast<uint32_t>(std::bit_width(class_count))};
  }
  uint32_t cell_bits() const { return 64 - 2 * class_bits; }
  uint64_t cell_mask() const { return ~uint64_t{0} >> (2 * class_bits); }
  uint64_t Key(uint32_t src, uint32_t dst) const { return uint64_t{src} << class_bits | dst; }
  uint64_t Word(uint32_t src, uint32_t dst, uint32_t cell) const {
    return Key(src, dst) << cell_bits() | cell;
  }
};
inline constexpr uint64_t kEmptyPairWord = ~uint64_t{0};

// An entry of the IPv4 trie is base << 8 | mask: the next index is base + (byte & mask), with a
// mask of 0xff where the next level tells the byte apart, else 0.
inline constexpr uint32_t kV4BaseShift = 8;
inline constexpr uint32_t kV4Mask = 0xff;

// The port class of a packet is kPortIndex[base + (port & mask)]; a protocol without ports, or all
// of whose ports are judged alike, has one place there and a mask of 0. Protocols without ports
// share the entry of protocol 0.
struct Protocol {
  uint32_t base;
  uint32_t mask;
};

// What both directions come to for one port class. "Unless local" is the exemption of a pod's own
// node (R37), which is looked at when it would make a difference.
enum OutcomeCode : uint8_t {
  kDeniedBoth,  // by NetworkPolicies, both directions
  kDeniedIngress,
  kDeniedEgress,
  kDeniedIngressUnlessLocal,
  kTierDeniedBoth,
  kTierDeniedIngress,
  kTierDeniedEgress,
  kServiceDeniedIngress,
  kServiceDeniedEgress,
  kMalformed,
  kAllowedByPolicy,
  kAllowedByTier,
  kAllowedNoPolicy,
  kAllowedNotAPod,
  kAllowedUnknownPod,
  kAllowedService,
};

struct Outcome {  // the last four bytes of a Verdict
  uint8_t allowed;
  Reason reason;
  uint8_t directions;
  uint8_t flags;
};
inline constexpr uint8_t kLookAtNode = 1;  // Outcome::flags, never in a Verdict that is given out
inline constexpr uint32_t kOutcomeBits = 4;
inline constexpr std::array<Outcome, 1 << kOutcomeBits> kOutcomes = {{
    {0, Reason::kPolicy, 0, 0},
    {0, Reason::kPolicy, kEgressAllowed, 0},
    {0, Reason::kPolicy, kIngressAllowed, 0},
    {0, Reason::kPolicy, kEgressAllowed, kLookAtNode},
    {0, Reason::kTier, 0, 0},
    {0, Reason::kTier, kEgressAllowed, 0},
    {0, Reason::kTier, kIngressAllowed, 0},
    {0, Reason::kServiceAddress, kEgressAllowed, 0},
    {0, Reason::kServiceAddress, kIngressAllowed, 0},
    {0, Reason::kMalformed, 0, 0},
    {1, Reason::kPolicy, kIngressAllowed | kEgressAllowed, 0},
    {1, Reason::kTier, kIngressAllowed | kEgressAllowed, 0},
    {1, Reason::kNoPolicy, kIngressAllowed | kEgressAllowed, 0},
    {1, Reason::kNotAPod, kIngressAllowed | kEgressAllowed, 0},
    {1, Reason::kUnknownPod, kIngressAllowed | kEgressAllowed, 0},
    {1, Reason::kServiceAddress, kIngressAllowed | kEgressAllowed, 0},
}};
inline constexpr uint32_t kOutcomesPerWord = 64 / kOutcomeBits;
inline constexpr uint32_t OutcomeWords(uint32_t port_class_count) {
  return port_class_count / kOutcomesPerWord + (port_class_count % kOutcomesPerWord != 0 ? 1 : 0);
}

enum CellFlag : uint32_t {
  kCellUnknownPod = 1,  // a side is an address in a pod CIDR that no pod has
};

struct Cell {
  uint32_t decision[2];  // by Direction
  uint32_t flags;
};
static_assert(sizeof(Cell) == 12);

struct Decision {
  uint32_t allow_bitset;  // index of a bitset: ports that are allowed
  uint32_t tier_bitset;   // ports that a cluster tier decided; their denial no exemption lifts
  uint32_t isolated;      // 1: a NetworkPolicy isolates the subject
};

struct ClassRecord {
  uint8_t kind;                // AddressKind
  uint8_t representatives[2];  // how many of `representative` are set, IPv4 and IPv6; 0..2
  uint8_t reserved;
  uint32_t first_atom;
  uint32_t atom_count;
  uint32_t first_named_port;
  uint32_t named_port_count;
  uint8_t representative[2][2][16];  // [family][which]
};
static_assert(sizeof(ClassRecord) == 84);

struct NamedPort {
  uint32_t name;  // string
  uint16_t port;
  uint8_t protocol;  // IANA
  uint8_t reserved;
};

struct Row {
  uint32_t defaults;  // row of kRowDefaults: what peers come to that have no entry
  uint32_t first_entry;
  uint32_t entry_count;
};

struct RowEntry {
  uint32_t peer_class;
  uint32_t decision;
};

struct Endpoint {
  uint8_t address[16];
  uint8_t family;  // 4 or 6
  uint8_t kind;    // AddressKind: kPod or kNode
  uint16_t reserved;
  uint32_t address_class;
  uint32_t name;    // string: "namespace/name" of a pod, name of a node
  uint32_t node;    // string: name of the node it is on (or is); kNone where not known
  uint32_t labels;  // string: the labels that selectors speak of, "app=web,tier=db"
};
static_assert(sizeof(Endpoint) == 36);

struct PortClassRecord {  // a representative
  uint8_t protocol;       // IANA; 0 for the class without ports
  uint8_t reserved;
  uint16_t port;
};

enum class Tier : uint8_t { kAdmin, kNetworkPolicy, kBaseline };
enum class Action : uint8_t { kAllow, kDeny, kPass };
enum class PolicyKind : uint8_t {
  kNetworkPolicy,
  kClusterNetworkPolicy,
  kAdminNetworkPolicy,
  kBaselineAdminNetworkPolicy,
};

struct PolicyRecord {  // in the order in which they are evaluated
  uint32_t name;       // string "namespace/name", or the name of a cluster policy
  uint32_t subject_atom;
  uint32_t first_rule;
  uint32_t rule_count;
  uint8_t tier;
  uint8_t governs;  // bit 0 ingress, bit 1 egress: isolates, or has rules (a cluster policy)
  uint8_t kind;     // PolicyKind
  uint8_t reserved;
};

struct RuleRecord {
  uint32_t index;  // in `ingress` or `egress` of the object
  uint32_t name;   // string; kNone where it has none
  uint32_t first_port;
  uint32_t port_count;  // 0: all ports and protocols
  uint32_t first_peer;
  uint32_t peer_count;  // 0: any peer
  uint8_t direction;
  uint8_t action;  // Action
  uint8_t reserved[2];
};

struct RulePort {
  uint32_t name;   // string; kNone: numeric
  uint32_t index;  // in `ports` of the rule
  uint16_t first;
  uint16_t last;
  uint8_t protocol;  // IANA
  uint8_t reserved[3];
};

struct RulePeer {
  uint32_t atom;
  uint32_t index;  // in `from` or `to` of the rule
  uint32_t item;   // in the peer's own list of networks or names; kNone: it has none
};

enum class AtomKind : uint8_t { kPods, kIpBlock, kNodes, kNames, kUnknown };

struct AtomRecord {  // a selector, a block, a name: what a class is in, or is not in
  uint32_t text;     // string, for people
  uint32_t kind;     // AtomKind
};

// A hash table is an array of pilots and an array of places (compile/perfect_hash.h): a key can
// stand only at PlaceOf its hash and the pilot at PilotOf its hash.
inline constexpr uint64_t kSeedFactor = 0x9e3779b97f4a7c15u;
inline constexpr uint64_t kHashFactors[2] = {0xff51afd7ed558ccdu, 0xc4ceb9fe1a85ec53u};
inline constexpr uint32_t kPilotFactor = 0x9e3779b1u;  // of the number that was tried out
inline constexpr uint32_t kPlaceFactor = 0x85ebca6bu;

// Products of 64 bits only, so that vectors can follow it.
inline uint64_t Hash(uint64_t first, uint64_t second, uint32_t seed) {
  uint64_t h = first ^ (seed * kSeedFactor);
  h *= kHashFactors[0];
  h ^= (h >> 32) ^ second;
  h *= kHashFactors[1];
  return h ^ (h >> 32);
}
// Of a pair of classes. An address is hashed by its halves, as memory has them.
inline uint64_t HashPair(uint32_t src, uint32_t dst, uint32_t seed) {
  return Hash(uint64_t{src} << 32 | dst, 0, seed);
}
inline uint32_t PilotOf(uint64_t hash, uint32_t pilot_count) {
  return static_cast<uint32_t>(((hash & 0xffffffffu) * pilot_count) >> 32);
}
inline uint32_t PlaceOf(uint64_t hash, uint32_t pilot, uint32_t place_count) {
  const uint32_t moved = (static_cast<uint32_t>(hash >> 32) ^ pilot) * kPlaceFactor;
  return static_cast<uint32_t>((uint64_t{moved} * place_count) >> 32);
}

}  // namespace npf::layout

#endif  // NPF_PROGRAM_LAYOUT_H_

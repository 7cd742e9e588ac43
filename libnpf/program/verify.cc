// Whether bytes are an image that can be used without further checks. The checksum finds accidents;
// everything after it holds even against a hostile image whose checksum was repaired.
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/checksum.h"
#include "npf/flow.h"
#include "npf/version.h"
#include "program/view.h"

namespace npf {
namespace {

using layout::SectionId;

struct SectionShape {
  const char* name;
  uint32_t element_bytes;  // 0: one of two widths, checked against the header
};

constexpr std::array<SectionShape, layout::kSectionCount> kShapes = {{
    {"v4_top", 0},
    {"v4_mid", 0},
    {"v4_leaf", 0},
    {"v6_pilots", 4},
    {"v6_places", sizeof(layout::V6Place)},
    {"v6_highs", 8},
    {"v6_intervals", 4},
    {"v6_segments", 4},
    {"v6_lows", 8},
    {"v6_low_classes", 4},
    {"protocols", sizeof(layout::Protocol)},
    {"port_index", 0},
    {"pair_cells", 0},
    {"pair_tiles", 4},
    {"pair_pilots", 4},
    {"pair_places", 8},
    {"source_group", 4},
    {"destination_group", 4},
    {"default_cells", 4},
    {"cell_outcomes", 8},
    {"cells", sizeof(layout::Cell)},
    {"decisions", sizeof(layout::Decision)},
    {"bitsets", 4},
    {"classes", sizeof(layout::ClassRecord)},
    {"class_atoms", 4},
    {"class_named_ports", sizeof(layout::NamedPort)},
    {"row_of_class", 4},
    {"peer_group", 4},
    {"row_defaults", 4},
    {"rows", sizeof(layout::Row)},
    {"row_entries", sizeof(layout::RowEntry)},
    {"endpoints", sizeof(layout::Endpoint)},
    {"port_classes", sizeof(layout::PortClassRecord)},
    {"policies", sizeof(layout::PolicyRecord)},
    {"rules", sizeof(layout::RuleRecord)},
    {"rule_ports", sizeof(layout::RulePort)},
    {"rule_peers", sizeof(layout::RulePeer)},
    {"atoms", sizeof(layout::AtomRecord)},
    {"string_offsets", 4},
    {"string_bytes", 1},
}};

absl::Status Bad(const std::string& what) {
  return absl::InvalidArgumentError("image refused: " + what);
}

// Checks one image from the outside in; the first fault ends it.
class Verifier {
 public:
  explicit Verifier(std::span<const std::byte> bytes) : bytes_(bytes) {}

  absl::Status Run() {
    using Step = absl::Status (Verifier::*)();
    constexpr Step kSteps[] = {
        &Verifier::CheckHeader,  &Verifier::CheckSections, &Verifier::CheckShape,
        &Verifier::CheckV4,      &Verifier::CheckV6,       &Verifier::CheckPorts,
        &Verifier::CheckPairs,   &Verifier::CheckCells,    &Verifier::CheckClasses,
        &Verifier::CheckRows,    &Verifier::CheckStrings,  &Verifier::CheckEndpoints,
        &Verifier::CheckPolicies};
    for (const Step step : kSteps) {
      const absl::Status status = (this->*step)();
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  template <typename T>
  std::span<const T> Section(SectionId id) const {
    return {reinterpret_cast<const T*>(bytes_.data() + sections_[id].offset), sections_[id].count};
  }
  uint64_t Count(SectionId id) const { return sections_[id].count; }

  absl::Status CheckHeader() {
    constexpr size_t kPrefix =
        sizeof(layout::ImageHeader) + layout::kSectionCount * sizeof(layout::SectionEntry);
    if (bytes_.size() < kPrefix) {
      return Bad(
          absl::StrCat("truncated: ", bytes_.size(), " bytes, an image has at least ", kPrefix));
    }
    header_ = reinterpret_cast<const layout::ImageHeader*>(bytes_.data());
    sections_ = reinterpret_cast<const layout::SectionEntry*>(header_ + 1);
    if (std::memcmp(header_->magic, layout::kMagic, sizeof layout::kMagic) != 0) {
      return Bad("not an npf image (bad magic)");
    }
    if (header_->byte_order != layout::kByteOrder) return Bad("written in the other byte order");
    if (header_->format_version != kImageFormatVersion) {
      return Bad(absl::StrCat("image version ", header_->format_version, ", this build reads ",
                              kImageFormatVersion));
    }
    if (header_->semantics_version != kSemanticsVersion) {
      return Bad(absl::StrCat("semantics version ", header_->semantics_version, ", this build has ",
                              kSemanticsVersion));
    }
    if (header_->image_bytes != bytes_.size()) {
      return Bad(absl::StrCat("truncated or extended: the header says ", header_->image_bytes,
                              " bytes, found ", bytes_.size()));
    }
    if (header_->checksum != ImageChecksum(bytes_)) return Bad("checksum wrong");
    if (header_->section_count != layout::kSectionCount) {
      return Bad(absl::StrCat(header_->section_count, " sections, this build reads ",
                              layout::kSectionCount));
    }
    return absl::OkStatus();
  }

  absl::Status CheckSections() {
    uint64_t end =
        sizeof(layout::ImageHeader) + layout::kSectionCount * sizeof(layout::SectionEntry);
    for (uint32_t id = 0; id < layout::kSectionCount; ++id) {
      const layout::SectionEntry& section = sections_[id];
      const uint32_t wanted = kShapes[id].element_bytes;
      if (wanted != 0 && section.count != 0 && section.element_bytes != wanted) {
        return BadSection(id, "has elements of another size");
      }
      if (section.element_bytes == 0 || section.element_bytes > 128) {
        return BadSection(id, "has elements of an impossible size");
      }
      if (section.offset % layout::kAlignment != 0 || section.offset < end ||
          section.offset > bytes_.size()) {
        return BadSection(id, "overlaps another, or lies outside");
      }
      if (section.count > (bytes_.size() - section.offset) / section.element_bytes) {
        return BadSection(id, "reaches past the end");
      }
      if (section.count >= layout::kNone) return BadSection(id, "has too many elements");
      end = section.offset + section.count * section.element_bytes;
    }
    return absl::OkStatus();
  }

  absl::Status CheckShape() {
    const layout::ImageHeader& h = *header_;
    if (h.v4_entry_bytes != 4 && h.v4_entry_bytes != 8) return Bad("IPv4 entry width");
    if ((h.leaf_bytes != 2 || h.v4_entry_bytes != 4) && h.leaf_bytes != 4) return Bad("leaf width");
    if (h.pair_cell_bytes != 2 && h.pair_cell_bytes != 4) return Bad("pair cell width");
    if (h.port_class_bytes != 1 && h.port_class_bytes != 2) return Bad("port class width");
    if (sections_[layout::kV4Top].element_bytes != h.v4_entry_bytes ||
        sections_[layout::kV4Mid].element_bytes != h.v4_entry_bytes ||
        sections_[layout::kV4Leaf].element_bytes != h.leaf_bytes ||
        sections_[layout::kPairCells].element_bytes != h.pair_cell_bytes ||
        sections_[layout::kPortIndex].element_bytes != h.port_class_bytes) {
      return Bad("a section's width is not the header's");
    }
    if (h.class_count == 0 || h.class_count >= layout::kNone || h.pod_class_count > h.class_count) {
      return Bad("class counts");
    }
    if (h.cell_count < 2 || h.port_class_count == 0 ||
        h.bitset_words != (uint64_t{h.port_class_count} + 31) / 32 ||
        h.outcome_words != layout::OutcomeWords(h.port_class_count)) {
      return Bad("cell or port class counts");
    }
    return absl::OkStatus();
  }

  absl::Status CheckV4() {
    if (Count(layout::kV4Top) != 65536) return BadSection(layout::kV4Top, "has a wrong length");
    const bool narrow = header_->v4_entry_bytes == 4;
    const absl::Status status = narrow ? CheckV4Entries<uint32_t>() : CheckV4Entries<uint64_t>();
    if (!status.ok()) return status;
    return CheckBelow(layout::kV4Leaf, header_->class_count);
  }

  template <typename Entry>
  absl::Status CheckV4Entries() {
    const auto reaches = [](std::span<const Entry> entries, uint64_t next_count) {
      uint64_t farthest = 0;
      for (const Entry entry : entries) {
        farthest = std::max(
            farthest, uint64_t{entry >> layout::kV4BaseShift} + uint64_t{entry & layout::kV4Mask});
      }
      return farthest < next_count;
    };
    if (!reaches(Section<Entry>(layout::kV4Top), Count(layout::kV4Mid))) {
      return BadSection(layout::kV4Top, "points outside");
    }
    if (!reaches(Section<Entry>(layout::kV4Mid), Count(layout::kV4Leaf))) {
      return BadSection(layout::kV4Mid, "points outside");
    }
    return absl::OkStatus();
  }

  absl::Status CheckV6() {
    const absl::Status status = CheckV6Intervals();
    if (!status.ok()) return status;
    if (Count(layout::kV6Pilots) == 0) return BadSection(layout::kV6Pilots, "is empty");
    if (Count(layout::kV6Places) == 0) return BadSection(layout::kV6Places, "is empty");
    for (const layout::V6Place& place : Section<layout::V6Place>(layout::kV6Places)) {
      if (place.address_class != layout::kNone && place.address_class >= header_->class_count) {
        return BadSection(layout::kV6Places, "names no class");
      }
    }
    return absl::OkStatus();
  }

  // Sorted numbers from 0 on: whatever is looked for, one of them is not above it.
  static bool StartsAtZeroAndRises(std::span<const uint64_t> firsts) {
    return !firsts.empty() && firsts[0] == 0 &&
           std::adjacent_find(firsts.begin(), firsts.end(), std::greater_equal<>()) == firsts.end();
  }

  absl::Status CheckV6Intervals() {
    const auto segments = Section<uint32_t>(layout::kV6Segments);
    const auto lows = Section<uint64_t>(layout::kV6Lows);
    if (!StartsAtZeroAndRises(Section<uint64_t>(layout::kV6Highs))) {
      return BadSection(layout::kV6Highs, "is not sorted from 0 on");
    }
    if (Count(layout::kV6Intervals) != Count(layout::kV6Highs)) {
      return BadSection(layout::kV6Intervals, "has a wrong length");
    }
    if (segments.empty() || segments.front() != 0 || segments.back() != lows.size()) {
      return BadSection(layout::kV6Segments, "does not cover what it cuts");
    }
    for (size_t i = 0; i + 1 < segments.size(); ++i) {
      if (segments[i] >= segments[i + 1] || segments[i + 1] > lows.size() ||
          !StartsAtZeroAndRises(lows.subspan(segments[i], segments[i + 1] - segments[i]))) {
        return BadSection(layout::kV6Lows, "is not sorted from 0 on within a segment");
      }
    }
    for (const uint32_t interval : Section<uint32_t>(layout::kV6Intervals)) {
      const bool is_segment = (interval & 1) != 0;
      if (interval >> 1 >= (is_segment ? segments.size() - 1 : header_->class_count)) {
        return BadSection(layout::kV6Intervals, "points outside");
      }
    }
    if (Count(layout::kV6LowClasses) != lows.size()) {
      return BadSection(layout::kV6LowClasses, "has a wrong length");
    }
    return CheckBelow(layout::kV6LowClasses, header_->class_count);
  }

  absl::Status CheckPorts() {
    if (Count(layout::kProtocols) != layout::kProtocolCount) {
      return BadSection(layout::kProtocols, "has a wrong length");
    }
    const auto protocols = Section<layout::Protocol>(layout::kProtocols);
    for (uint32_t number = 0; number < protocols.size(); ++number) {
      const layout::Protocol& protocol = protocols[number];
      if (!HasPorts(static_cast<uint8_t>(number)) &&
          (protocol.base != protocols[0].base || protocol.mask != 0)) {
        return BadSection(layout::kProtocols, "gives ports to a protocol that has none");
      }
      if (protocol.mask >= layout::kPortsPerProtocol ||
          uint64_t{protocol.base} + protocol.mask >= Count(layout::kPortIndex)) {
        return BadSection(layout::kProtocols, "points outside");
      }
    }
    if (Count(layout::kPortClasses) != header_->port_class_count) {
      return BadSection(layout::kPortClasses, "has a wrong length");
    }
    return CheckBelow(layout::kPortIndex, header_->port_class_count);
  }

  absl::Status CheckPairs() {
    const layout::ImageHeader& h = *header_;
    const uint64_t classes = h.class_count;
    switch (static_cast<PairKind>(h.pair_kind)) {
      case PairKind::kDense:
        if (Count(layout::kPairCells) != classes * classes) {
          return BadSection(layout::kPairCells, "has a wrong length");
        }
        return CheckBelow(layout::kPairCells, h.cell_count);
      case PairKind::kTiled:
        return CheckTiles();
      case PairKind::kHash:
        return CheckPairHash();
      default:
        return Bad("unknown kind of pair table");
    }
  }

  absl::Status CheckTiles() {
    const layout::ImageHeader& h = *header_;
    if (h.tiles_per_row != (h.class_count + layout::kTileColumns - 1) / layout::kTileColumns ||
        Count(layout::kPairTiles) != uint64_t{h.class_count} * h.tiles_per_row) {
      return BadSection(layout::kPairTiles, "has a wrong length");
    }
    for (const uint32_t first : Section<uint32_t>(layout::kPairTiles)) {
      if (uint64_t{first} + layout::kTileColumns > Count(layout::kPairCells)) {
        return BadSection(layout::kPairTiles, "points outside");
      }
    }
    return CheckBelow(layout::kPairCells, h.cell_count);
  }

  absl::Status CheckPairHash() {
    const layout::ImageHeader& h = *header_;
    if (Count(layout::kPairPilots) == 0) return BadSection(layout::kPairPilots, "is empty");
    if (Count(layout::kPairPlaces) == 0) return BadSection(layout::kPairPlaces, "is empty");
    if (Count(layout::kSourceGroup) != h.class_count ||
        Count(layout::kDestinationGroup) != h.class_count ||
        Count(layout::kDefaultCells) !=
            uint64_t{h.source_group_count} * h.destination_group_count) {
      return Bad("the default cells have a wrong length");
    }
    const layout::PairWord word = layout::PairWord::For(h.class_count);
    if (word.class_bits > layout::PairWord::kClassBitsMax) {
      return Bad("too many classes for a hash of pairs");
    }
    for (const uint64_t place : Section<uint64_t>(layout::kPairPlaces)) {
      if (place != layout::kEmptyPairWord && (place & word.cell_mask()) >= h.cell_count) {
        return BadSection(layout::kPairPlaces, "names no cell");
      }
    }
    absl::Status status = CheckBelow(layout::kSourceGroup, h.source_group_count);
    if (status.ok()) status = CheckBelow(layout::kDestinationGroup, h.destination_group_count);
    if (status.ok()) status = CheckBelow(layout::kDefaultCells, h.cell_count);
    return status;
  }

  absl::Status CheckCells() {
    const uint64_t words = header_->bitset_words;
    if (Count(layout::kCells) != header_->cell_count ||
        Count(layout::kCellOutcomes) != uint64_t{header_->cell_count} * header_->outcome_words) {
      return Bad("the cells have a wrong length");
    }
    for (const layout::Cell& cell : Section<layout::Cell>(layout::kCells)) {
      if (cell.decision[0] >= Count(layout::kDecisions) ||
          cell.decision[1] >= Count(layout::kDecisions)) {
        return BadSection(layout::kCells, "names no decision");
      }
    }
    if (Count(layout::kDecisions) == 0) return BadSection(layout::kDecisions, "is empty");
    for (const layout::Decision& decision : Section<layout::Decision>(layout::kDecisions)) {
      if ((uint64_t{decision.allow_bitset} + 1) * words > Count(layout::kBitsets) ||
          (uint64_t{decision.tier_bitset} + 1) * words > Count(layout::kBitsets)) {
        return BadSection(layout::kDecisions, "names no bitset");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckClasses() {
    if (Count(layout::kClasses) != header_->class_count) {
      return BadSection(layout::kClasses, "has a wrong length");
    }
    uint32_t number = 0;
    for (const layout::ClassRecord& record : Section<layout::ClassRecord>(layout::kClasses)) {
      const bool is_pod = record.kind == static_cast<uint8_t>(layout::AddressKind::kPod);
      if (record.kind > static_cast<uint8_t>(layout::AddressKind::kExternal) ||
          is_pod != (number < header_->pod_class_count) || record.representatives[0] > 2 ||
          record.representatives[1] > 2 ||
          !Within(record.first_atom, record.atom_count, layout::kClassAtoms) ||
          !Within(record.first_named_port, record.named_port_count, layout::kClassNamedPorts)) {
        return BadSection(layout::kClasses, absl::StrCat("is wrong at ", number));
      }
      ++number;
    }
    return CheckBelow(layout::kClassAtoms, static_cast<uint32_t>(Count(layout::kAtoms)));
  }

  absl::Status CheckRows() {
    if (Count(layout::kRowOfClass) != 2 * uint64_t{header_->pod_class_count}) {
      return BadSection(layout::kRowOfClass, "has a wrong length");
    }
    for (const uint32_t row : Section<uint32_t>(layout::kRowOfClass)) {
      if (row != layout::kNone && row >= Count(layout::kRows)) {
        return BadSection(layout::kRowOfClass, "names no row");
      }
    }
    const uint64_t groups = header_->peer_group_count;
    if (Count(layout::kPeerGroup) != header_->class_count || groups == 0 ||
        Count(layout::kRowDefaults) % groups != 0) {
      return Bad("the peer groups have a wrong length");
    }
    absl::Status status = CheckBelow(layout::kPeerGroup, header_->peer_group_count);
    if (status.ok()) {
      status = CheckBelow(layout::kRowDefaults, static_cast<uint32_t>(Count(layout::kDecisions)));
    }
    if (!status.ok()) return status;
    for (const layout::Row& row : Section<layout::Row>(layout::kRows)) {
      if (row.defaults >= Count(layout::kRowDefaults) / groups ||
          !Within(row.first_entry, row.entry_count, layout::kRowEntries)) {
        return BadSection(layout::kRows, "points outside");
      }
    }
    for (const layout::RowEntry& entry : Section<layout::RowEntry>(layout::kRowEntries)) {
      if (entry.peer_class >= header_->class_count || entry.decision >= Count(layout::kDecisions)) {
        return BadSection(layout::kRowEntries, "points outside");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckStrings() {
    const auto offsets = Section<uint32_t>(layout::kStringOffsets);
    if (offsets.empty() || offsets.front() != 0 || offsets.back() != Count(layout::kStringBytes)) {
      return BadSection(layout::kStringOffsets, "does not cover the strings");
    }
    for (size_t i = 1; i < offsets.size(); ++i) {
      if (offsets[i] < offsets[i - 1]) return BadSection(layout::kStringOffsets, "goes backwards");
    }
    string_count_ = offsets.size() - 1;
    return absl::OkStatus();
  }

  absl::Status CheckEndpoints() {
    for (const layout::Endpoint& endpoint : Section<layout::Endpoint>(layout::kEndpoints)) {
      if ((endpoint.family != 4 && endpoint.family != 6) ||
          endpoint.kind > static_cast<uint8_t>(layout::AddressKind::kNode) ||
          endpoint.address_class >= header_->class_count || !IsString(endpoint.name) ||
          !IsString(endpoint.node) || !IsString(endpoint.labels)) {
        return BadSection(layout::kEndpoints, "is wrong");
      }
    }
    for (const layout::NamedPort& port : Section<layout::NamedPort>(layout::kClassNamedPorts)) {
      if (!IsString(port.name)) return BadSection(layout::kClassNamedPorts, "names no string");
    }
    return absl::OkStatus();
  }

  absl::Status CheckPolicies() {
    for (const layout::PolicyRecord& policy : Section<layout::PolicyRecord>(layout::kPolicies)) {
      if (!IsString(policy.name) || policy.subject_atom >= Count(layout::kAtoms) ||
          policy.tier > static_cast<uint8_t>(layout::Tier::kBaseline) || policy.governs > 3 ||
          policy.kind > static_cast<uint8_t>(layout::PolicyKind::kBaselineAdminNetworkPolicy) ||
          !Within(policy.first_rule, policy.rule_count, layout::kRules)) {
        return BadSection(layout::kPolicies, "is wrong");
      }
    }
    for (const layout::RuleRecord& rule : Section<layout::RuleRecord>(layout::kRules)) {
      if (rule.direction > 1 || rule.action > static_cast<uint8_t>(layout::Action::kPass) ||
          !IsString(rule.name) || !Within(rule.first_port, rule.port_count, layout::kRulePorts) ||
          !Within(rule.first_peer, rule.peer_count, layout::kRulePeers)) {
        return BadSection(layout::kRules, "is wrong");
      }
    }
    for (const layout::RulePort& port : Section<layout::RulePort>(layout::kRulePorts)) {
      if (!IsString(port.name)) return BadSection(layout::kRulePorts, "names no string");
    }
    for (const layout::RulePeer& peer : Section<layout::RulePeer>(layout::kRulePeers)) {
      if (peer.atom >= Count(layout::kAtoms)) {
        return BadSection(layout::kRulePeers, "names no atom");
      }
    }
    for (const layout::AtomRecord& atom : Section<layout::AtomRecord>(layout::kAtoms)) {
      if (!IsString(atom.text)) return BadSection(layout::kAtoms, "names no string");
    }
    return absl::OkStatus();
  }

  bool IsString(uint32_t index) const { return index == layout::kNone || index < string_count_; }
  bool Within(uint32_t first, uint32_t count, SectionId id) const {
    return uint64_t{first} + count <= Count(id);
  }

  absl::Status CheckBelow(SectionId id, uint32_t bound) const {
    switch (sections_[id].element_bytes) {
      case 1:
        return CheckValuesBelow<uint8_t>(id, bound);
      case 2:
        return CheckValuesBelow<uint16_t>(id, bound);
      default:
        return CheckValuesBelow<uint32_t>(id, bound);
    }
  }
  template <typename T>
  absl::Status CheckValuesBelow(SectionId id, uint32_t bound) const {
    T largest = 0;
    for (const T value : Section<T>(id)) largest = std::max(largest, value);
    if (Count(id) != 0 && largest >= bound) return BadSection(id, "points outside");
    return absl::OkStatus();
  }

  static absl::Status BadSection(uint32_t id, const std::string& what) {
    return Bad(absl::StrCat("section ", kShapes[id].name, " ", what));
  }

  std::span<const std::byte> bytes_;
  const layout::ImageHeader* header_ = nullptr;
  const layout::SectionEntry* sections_ = nullptr;
  size_t string_count_ = 0;
};

}  // namespace

uint64_t ImageChecksum(std::span<const std::byte> bytes) {
  return Checksum64(bytes.subspan(layout::kChecksumFrom));
}

absl::Status VerifyImage(std::span<const std::byte> bytes) { return Verifier(bytes).Run(); }

}  // namespace npf

// The whole address space as a compiled Program tells it apart: cut wherever an object begins or
// ends to mean an address, so that all addresses of a segment are judged alike.
//
//   0.0.0.0 ... 10.0.0.0 ... 10.1.0.4 10.1.0.5 ... 10.1.255.255 ... 255.255.255.255  ::  ...
//   └ external ┘ └ a block's other ┘ └ a pod ┘ └ the rest of the block ┘ └ external ┘
//
// An answer about every segment that a set of addresses touches is an answer about every address of
// it; nothing is sampled. Segments of one address class need be asked only once.
#ifndef NPF_TOOLS_NPF_ADDRESS_SPACE_H_
#define NPF_TOOLS_NPF_ADDRESS_SPACE_H_

#include <cstdint>
#include <vector>

#include "npf/address_set.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "program/layout.h"

namespace npf::tools {

struct Segment {
  AddressRange range;
  uint32_t address_class = 0;
  layout::AddressKind kind = layout::AddressKind::kExternal;
};

// Immutable; safe to share between threads.
class AddressSpace {
 public:
  // `program` is compiled from `snapshot`.
  AddressSpace(const Snapshot& snapshot, const Program& program);

  // What the segments have of `set`, in order.
  std::vector<Segment> SegmentsOf(const AddressSet& set) const;
  AddressSet All() const;
  AddressSet OfKind(layout::AddressKind kind) const;

 private:
  std::vector<Segment> segments_;  // all of the space, in order
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_ADDRESS_SPACE_H_

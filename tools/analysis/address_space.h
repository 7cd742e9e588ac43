// The whole address space as a compiled Program tells it apart: the addresses of pods and nodes,
// each a segment of its own, and what is between them in runs of one address class.
//
//   0.0.0.0 ... 10.0.0.0 ... 10.1.0.4 10.1.0.5 ... 10.1.255.255 ... 255.255.255.255  ::  ...
//   └ external ┘ └ a block's rest ┘ └ a pod ┘ └ the rest of the block ┘ └ external ┘
//
// An answer about every segment that a set of addresses touches is an answer about every address of
// it; nothing is sampled. Segments of one address class need be asked only once.
#ifndef NPF_TOOLS_ANALYSIS_ADDRESS_SPACE_H_
#define NPF_TOOLS_ANALYSIS_ADDRESS_SPACE_H_

#include <cstdint>
#include <vector>

#include "analysis/address_set.h"
#include "npf/program.h"
#include "program/layout.h"

namespace npf::analysis {

struct Segment {
  AddressRange range;
  uint32_t address_class = 0;
  layout::AddressKind kind = layout::AddressKind::kExternal;
};

// Immutable; safe to share between threads.
class AddressSpace {
 public:
  explicit AddressSpace(const Program& program);

  // What the segments have of `set`, in order.
  std::vector<Segment> SegmentsOf(const AddressSet& set) const;
  AddressSet All() const;
  AddressSet OfKind(layout::AddressKind kind) const;

 private:
  std::vector<Segment> segments_;  // all of the space, in order
};

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_ADDRESS_SPACE_H_

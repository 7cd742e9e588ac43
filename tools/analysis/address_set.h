// Sets of addresses of both families, as ranges.
#ifndef NPF_TOOLS_ANALYSIS_ADDRESS_SET_H_
#define NPF_TOOLS_ANALYSIS_ADDRESS_SET_H_

#include <string>
#include <utility>
#include <vector>

#include "npf/address.h"

namespace npf::analysis {

// Of one family; both ends belong to it.
struct AddressRange {
  IpAddress first;
  IpAddress last;
  auto operator<=>(const AddressRange&) const = default;
};

// Sorted, neither overlapping nor touching.
using AddressRanges = std::vector<AddressRange>;

inline bool IsSingle(const AddressRange& range) { return range.first == range.last; }
inline AddressRange RangeOf(const IpPrefix& prefix) {
  return {FirstAddress(prefix), LastAddress(prefix)};
}
// The fewest prefixes that make it up, in order.
std::vector<IpPrefix> ToPrefixes(const AddressRange& range);
// "10.0.0.1", "10.0.0.0/8", or "10.0.0.1-10.0.0.9" where no prefix is just that.
std::string ToString(const AddressRange& range);

class AddressSet {
 public:
  void Add(const AddressRange& range);
  void Add(const AddressSet& other);
  void Subtract(const AddressSet& other);
  bool empty() const { return ranges_.empty(); }
  const AddressRanges& ranges() const;

 private:
  void Normalise() const;

  mutable AddressRanges ranges_;
  mutable bool normal_ = true;
};

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_ADDRESS_SET_H_

// The addresses that pods have of their own (R50, R52).
#ifndef NPF_MODEL_POD_ADDRESSES_H_
#define NPF_MODEL_POD_ADDRESSES_H_

#include <span>
#include <vector>

#include "npf/address.h"
#include "npf/model.h"

namespace npf::model {

// None where they are its node's, or it has ended.
std::vector<IpAddress> AddressesOf(const Pod& pod);

struct AddressHolder {
  IpAddress address;
  const Pod* pod;
};
// By address; those of one address as the pods stand.
std::vector<AddressHolder> HoldersOf(std::span<const Pod> pods);

// Two pods that claim one address (R51), `other` the one that stands before `pod`.
struct SharedAddress {
  IpAddress address;
  const Pod* pod;
  const Pod* other;
};
std::vector<SharedAddress> SharedAmong(std::span<const AddressHolder> holders);

}  // namespace npf::model

#endif  // NPF_MODEL_POD_ADDRESSES_H_

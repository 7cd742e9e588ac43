// Address blocks as the reference evaluator reads them: its own, so that a fault in the library's
// prefix arithmetic cannot hide in both.
#ifndef NPF_REFERENCE_CIDR_H_
#define NPF_REFERENCE_CIDR_H_

#include <optional>
#include <string>

#include "npf/address.h"

namespace npf::reference {

std::optional<IpAddress> ReadAddress(const std::string& text);

struct Cidr {
  IpAddress base;
  int length = 0;
};

// Bits of the text beyond the length are kept, and never looked at.
std::optional<Cidr> ReadCidr(const std::string& text);
bool Covers(const Cidr& cidr, const IpAddress& address);

}  // namespace npf::reference

#endif  // NPF_REFERENCE_CIDR_H_

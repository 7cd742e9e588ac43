// Sets of addresses as CIDRs, and how a Program divides the addresses that no pod and
// no node has.
#ifndef NPF_TOOLS_ANALYSIS_ADDRESSES_H_
#define NPF_TOOLS_ANALYSIS_ADDRESSES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/address_set.h"
#include "npf/address.h"
#include "npf/program.h"
#include "program/layout.h"

namespace npf::analysis {

// The CIDRs that make up a set, or, where that is shorter, one CIDR and those to leave out of it.
struct CidrList {
  std::vector<IpPrefix> cidrs;
  std::vector<IpPrefix> except;  // of the one CIDR
};
std::vector<CidrList> ToCidrs(const AddressRanges& set);  // a list for each family
std::string ToString(const CidrList& list);  // "0.0.0.0/0 except 10.0.0.0/8, 172.16.0.0/12"

IpAddress AddressOf(const layout::Endpoint& endpoint);

// A stretch of addresses of one class.
struct ClassRun {
  AddressRange range;
  uint32_t address_class = 0;
};

// All addresses of a family but those of pods and nodes, in order. Neighbours of one class are one
// run.
std::vector<ClassRun> RunsOf(const Program& program, Family family);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_ADDRESSES_H_

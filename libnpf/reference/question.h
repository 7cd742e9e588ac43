// What the reference evaluator is asked, and what it knows of the two ends.
#ifndef NPF_REFERENCE_QUESTION_H_
#define NPF_REFERENCE_QUESTION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "npf/address.h"
#include "npf/flow.h"
#include "npf/model.h"

namespace npf::reference {

// The first packet of a connection. `dst_port` is ignored for protocols without ports.
struct Question {
  IpAddress src;
  IpAddress dst;
  uint8_t protocol = kProtocolTcp;
  uint16_t dst_port = 0;
};

// Every address is exactly one of these; the first that applies.
enum class AddressKind : uint8_t { kPod, kNode, kServiceAddress, kUnknownPod, kExternal };

struct Side {
  IpAddress address;
  AddressKind kind;
  const Pod* pod = nullptr;  // set where kind is kPod
  size_t pod_index = 0;      // in Snapshot::pods()
};

// "TCP", "UDP" or "SCTP"; the others have no ports (R20, R41), and no name here.
std::string ProtocolName(uint8_t protocol);

}  // namespace npf::reference

#endif  // NPF_REFERENCE_QUESTION_H_

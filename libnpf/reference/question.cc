#include "reference/question.h"

namespace npf::reference {

std::string ProtocolName(uint8_t protocol) {
  switch (protocol) {
    case kProtocolTcp:
      return "TCP";
    case kProtocolUdp:
      return "UDP";
    case kProtocolSctp:
      return "SCTP";
    default:
      return "";
  }
}

}  // namespace npf::reference

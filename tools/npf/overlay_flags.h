// `--overlay KIND,KEY=VALUE,...`: a tunnel that is looked into (npf/overlay.h).
//
//   vxlan,endpoints=192.168.0.0/24+fd00::/64,port=8472,vni=1-100+4096
//   geneve,endpoints=192.168.0.0/24,critical=0x0102:0x80,network=one
//   gre,endpoints=192.0.2.1+192.0.2.2,key=7
//   ipip,endpoints=192.168.0.0/24
//   6in4,endpoints=192.168.0.0/24
#ifndef NPF_TOOLS_NPF_OVERLAY_FLAGS_H_
#define NPF_TOOLS_NPF_OVERLAY_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "npf/overlay.h"

namespace npf::tools {

// Nothing where `texts` is empty. Where something is wrong with them, every fault stands in
// `faults`, such as "--overlay 2 (gre): key: ...", and nothing is returned.
std::optional<Overlays> ParseOverlays(const std::vector<std::string>& texts,
                                      std::vector<std::string>& faults);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_OVERLAY_FLAGS_H_

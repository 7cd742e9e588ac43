// `npf-dpdk check`: what is missing on this machine, and how to mend it.
#ifndef NPF_DPDK_APP_CHECK_H_
#define NPF_DPDK_APP_CHECK_H_

#include <span>
#include <string>

#include "options.h"

namespace npf::appliance {

// A table on standard output. 0 where nothing that is needed is missing, else kExitEnvironment, or
// kExitBadInput where it is the policy. `eal` is what stands before --.
int RunCheck(const Options& options, std::span<const std::string> eal);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_CHECK_H_

// Every packet's verdict in a file, as `npf replay -o jsonl` tells it.
#ifndef NPF_DPDK_APP_VERDICT_FILE_H_
#define NPF_DPDK_APP_VERDICT_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "npf/address_names.h"
#include "wire_worker.h"

namespace npf::appliance {

absl::StatusOr<std::unique_ptr<VerdictSink>> OpenVerdictFile(const std::string& path,
                                                             const tools::AddressNames& names);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_VERDICT_FILE_H_

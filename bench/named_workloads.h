// The workloads that figures are told of, by name. Each is there for IPv4, IPv6 and dual stack.
#ifndef NPF_BENCH_NAMED_WORKLOADS_H_
#define NPF_BENCH_NAMED_WORKLOADS_H_

#include <optional>
#include <span>
#include <string_view>

#include "workload.h"

namespace npf::bench {

struct NamedWorkload {
  std::string_view name;
  std::string_view about;  // for people
};

std::span<const NamedWorkload> NamedWorkloads();

// nullopt where no workload has the name.
std::optional<Cluster> MakeNamedCluster(std::string_view name, IpFamilies families);

// "v4", "v6" or "dual", and back.
std::string_view Name(IpFamilies families);
std::optional<IpFamilies> ParseIpFamilies(std::string_view name);

}  // namespace npf::bench

#endif  // NPF_BENCH_NAMED_WORKLOADS_H_

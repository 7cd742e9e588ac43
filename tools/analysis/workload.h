// Which workload a pod is of.
#ifndef NPF_TOOLS_ANALYSIS_WORKLOAD_H_
#define NPF_TOOLS_ANALYSIS_WORKLOAD_H_

#include <cstdint>
#include <string>

#include "npf/model.h"

namespace npf::analysis {

struct Workload {
  std::string ns;
  std::string kind;  // "Deployment", ..., "Pod"
  std::string name;
  uint32_t pod_count = 0;         // that have an address on some side
  bool stands_in = false;         // no pod of it was given: it may have several
  bool ambiguous = false;         // another kind has this name in this namespace
  bool in_new_namespace = false;  // of a new pod: Namespace::is_new
  std::string ToString() const;   // "shop/web", "shop/web[StatefulSet]"
};

// The workload that controls the pod, or that it stands in for; else the pod itself. A ReplicaSet
// that a Deployment made is that Deployment, a Job of a CronJob that CronJob.
Workload WorkloadOf(const Pod& pod);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_WORKLOAD_H_

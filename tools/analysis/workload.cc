#include "analysis/workload.h"

#include <string_view>

namespace npf::analysis {
namespace {

// "web-5d4f9c" of a pod whose pod-template-hash is "5d4f9c" is Deployment web's.
bool FoldReplicaSet(const Pod& pod, std::string_view replica_set, std::string& deployment) {
  const std::string* hash = pod.labels.Find("pod-template-hash");
  if (hash == nullptr || replica_set.size() < hash->size() + 2) return false;
  const size_t dash = replica_set.size() - hash->size() - 1;
  if (!replica_set.ends_with(*hash) || replica_set[dash] != '-') return false;
  deployment = replica_set.substr(0, dash);
  return true;
}

// "backup-28123456", made by CronJob backup: a number of minutes since 1970.
bool FoldJob(std::string_view job, std::string& cron_job) {
  constexpr size_t kDigits = 8;
  const size_t dash = job.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || job.size() - dash - 1 != kDigits) return false;
  if (job.find_first_not_of("0123456789", dash + 1) != std::string_view::npos) return false;
  cron_job = job.substr(0, dash);
  return true;
}

}  // namespace

Workload WorkloadOf(const Pod& pod) {
  Workload workload{.ns = pod.ns, .kind = "Pod", .name = pod.name};
  if (!pod.owner_kind.empty()) {
    workload.kind = pod.owner_kind;
    workload.stands_in = true;
  }
  const size_t slash = pod.controller.find('/');
  if (slash == std::string::npos) return workload;
  const std::string_view kind = std::string_view(pod.controller).substr(0, slash);
  const std::string_view name = std::string_view(pod.controller).substr(slash + 1);
  if (kind.empty() || name.empty()) return workload;
  workload.kind = kind;
  workload.name = name;
  if (kind == "ReplicaSet" && FoldReplicaSet(pod, name, workload.name)) {
    workload.kind = "Deployment";
  } else if (kind == "Job" && FoldJob(name, workload.name)) {
    workload.kind = "CronJob";
  }
  return workload;
}

std::string Workload::ToString() const {
  return ns + "/" + name + (ambiguous ? "[" + kind + "]" : "");
}

}  // namespace npf::analysis

// The ten calls of npf.v1.ControlService, answered by a Handler. What a peer may ask is decided by
// the object that its connection was given to.
#ifndef NPF_PROTO_CONTROL_SERVICE_H_
#define NPF_PROTO_CONTROL_SERVICE_H_

#include <atomic>
#include <mutex>
#include <string>

#include "npf/v1/control.grpc.pb.h"
#include "proto/bounded_log.h"
#include "proto/connections.h"
#include "proto/control.h"

namespace npf::control {

// What the two services of a server have in common.
struct ServiceState {
  Handler& handler;
  BoundedLog& log;
  Connections* connections = nullptr;
  std::mutex changing;  // one change at a time
  std::atomic<bool> stopping = false;
};

class ControlService final : public v1::ControlService::Service {
 public:
  // Calls that go on until something happens; each holds a thread.
  static constexpr int kLongCallsMax = 16;

  ControlService(ServiceState& state, Role role) : state_(state), role_(role) {}

  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::GetStatusResponse* response) override;
  grpc::Status GetPolicyCounts(grpc::ServerContext* context,
                               const v1::GetPolicyCountsRequest* request,
                               v1::GetPolicyCountsResponse* response) override;
  grpc::Status GetVisibility(grpc::ServerContext* context, const v1::GetVisibilityRequest* request,
                             v1::GetVisibilityResponse* response) override;
  grpc::Status Load(grpc::ServerContext* context, const v1::LoadRequest* request,
                    v1::LoadResponse* response) override;
  grpc::Status Confirm(grpc::ServerContext* context, const v1::ConfirmRequest* request,
                       v1::ConfirmResponse* response) override;
  grpc::Status WaitForGeneration(grpc::ServerContext* context,
                                 const v1::WaitForGenerationRequest* request,
                                 v1::WaitForGenerationResponse* response) override;
  grpc::Status Explain(grpc::ServerContext* context, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override;
  grpc::Status ListConnections(grpc::ServerContext* context,
                               const v1::ListConnectionsRequest* request,
                               v1::ListConnectionsResponse* response) override;
  grpc::Status WouldCut(grpc::ServerContext* context, const v1::WouldCutRequest* request,
                        v1::WouldCutResponse* response) override;
  grpc::Status WatchDenied(grpc::ServerContext* context, const v1::WatchDeniedRequest* request,
                           grpc::ServerWriter<v1::WatchDeniedResponse>* writer) override;

 private:
  class Call;
  class LongCall;

  absl::Status MayChange(const Call& call, const char* what);
  absl::StatusOr<LoadResult> LoadOnce(const Call& call, const grpc::ServerContext& context,
                                      const v1::LoadRequest& request);

  ServiceState& state_;
  const Role role_;
  std::atomic<int> long_calls_ = 0;
};

}  // namespace npf::control

#endif  // NPF_PROTO_CONTROL_SERVICE_H_

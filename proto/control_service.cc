#include "proto/control_service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "npf/diagnostics.h"
#include "proto/convert.h"
#include "proto/limits.h"

namespace npf::control {
namespace {

using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kSliceNs = 200'000'000;

// A status travels in trailers, which are bounded by what the peer takes: by default 8 KiB, where
// each line end and each byte that is not ASCII counts three.
std::string CutToFit(std::string_view message, size_t bytes_max) {
  if (message.size() <= bytes_max) return std::string(message);
  size_t cut = message.rfind('\n', bytes_max);
  if (cut == std::string_view::npos) cut = bytes_max;
  const auto lines = std::count(message.begin() + static_cast<ptrdiff_t>(cut), message.end(), '\n');
  return absl::StrCat(std::string(message.substr(0, cut)), "\n... and ", lines, " more lines");
}

size_t StatusBytesMax(const grpc::ServerContext& context) {
  size_t bytes = kStatusBytesDefault;
  const auto asked = context.client_metadata().find(kStatusBytesKey);
  if (asked != context.client_metadata().end()) {
    std::from_chars(asked->second.data(), asked->second.data() + asked->second.size(), bytes);
  }
  return std::min(bytes, kStatusBytesMax);
}

grpc::Status ToGrpc(const absl::Status& status, const grpc::ServerContext& context) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()),
          CutToFit({status.message().data(), status.message().size()}, StatusBytesMax(context))};
}

size_t LimitOf(uint32_t asked) {
  if (asked == 0) return kConnectionsDefault;
  return std::min<size_t>(asked, kConnectionsMax);
}

// "fd:N", which gRPC calls a peer that it was given as a descriptor.
int DescriptorOf(std::string_view peer) {
  int fd = -1;
  if (!peer.starts_with("fd:")) return fd;
  std::from_chars(peer.data() + 3, peer.data() + peer.size(), fd);
  return fd;
}

}  // namespace

// A request that is being answered, and who asks.
class ControlService::Call {
 public:
  Call(ServiceState& state, const grpc::ServerContext& context)
      : connections_(*state.connections), fd_(DescriptorOf(context.peer())) {
    connections_.BeginCall(fd_);
    const std::optional<Peer> peer = connections_.PeerOfCall(fd_);
    who_ = peer ? absl::StrCat("uid ", peer->uid, ", pid ", peer->pid) : "an unknown process";
  }
  ~Call() { connections_.EndCall(fd_); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const std::string& who() const { return who_; }

 private:
  Connections& connections_;
  const int fd_;
  std::string who_;
};

class ControlService::LongCall {
 public:
  explicit LongCall(std::atomic<int>& count) : count_(count), number_(++count) {}
  ~LongCall() { --count_; }
  LongCall(const LongCall&) = delete;
  LongCall& operator=(const LongCall&) = delete;

  absl::Status Admitted() const {
    if (number_ <= kLongCallsMax) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat("at most ", kLongCallsMax, " clients may watch or wait at once"));
  }

 private:
  std::atomic<int>& count_;
  const int number_;
};

absl::Status ControlService::MayChange(const Call& call, const char* what) {
  if (role_ == Role::kChange) return absl::OkStatus();
  state_.log.Bounded(absl::StrCat(what, " by ", call.who(), " is refused"));
  return absl::PermissionDeniedError(absl::StrCat(what, ": permission denied to ", call.who(),
                                                  "; uid 0 and the appliance's own may"));
}

grpc::Status ControlService::GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                                       v1::GetStatusResponse* response) {
  const Call call(state_, *context);
  ToMessage(state_.handler.GetStatus(), *response->mutable_status());
  return grpc::Status::OK;
}

grpc::Status ControlService::GetPolicyCounts(grpc::ServerContext* context,
                                             const v1::GetPolicyCountsRequest*,
                                             v1::GetPolicyCountsResponse* response) {
  const Call call(state_, *context);
  for (const PolicyCount& count : state_.handler.GetPolicyCounts()) {
    ToMessage(count, *response->add_counts());
  }
  return grpc::Status::OK;
}

grpc::Status ControlService::GetVisibility(grpc::ServerContext* context,
                                           const v1::GetVisibilityRequest*,
                                           v1::GetVisibilityResponse* response) {
  const Call call(state_, *context);
  for (const PodVisibility& pod : state_.handler.GetVisibility()) {
    ToMessage(pod, *response->add_pods());
  }
  return grpc::Status::OK;
}

absl::StatusOr<LoadResult> ControlService::LoadOnce(const Call& call,
                                                    const grpc::ServerContext& context,
                                                    const v1::LoadRequest& request) {
  absl::StatusOr<LoadRequest> load = FromMessage(request);
  if (!load.ok()) return load.status();
  load->who = call.who();
  const std::lock_guard lock(state_.changing);
  if (context.IsCancelled() || state_.stopping) {
    return absl::CancelledError("the client went away before its turn came");
  }
  return state_.handler.Load(*load);
}

grpc::Status ControlService::Load(grpc::ServerContext* context, const v1::LoadRequest* request,
                                  v1::LoadResponse* response) {
  const Call call(state_, *context);
  if (absl::Status may = MayChange(call, "load"); !may.ok()) return ToGrpc(may, *context);
  const absl::StatusOr<LoadResult> result = LoadOnce(call, *context, *request);
  if (!result.ok()) {
    state_.log.Always(
        absl::StrCat("load by ", call.who(), ": ",
                     EscapeForMessage(std::string_view(result.status().message().data(),
                                                       result.status().message().size()))));
    return ToGrpc(result.status(), *context);
  }
  state_.log.Always(absl::StrCat("load by ", call.who(), ": generation ", result->generation, ", ",
                                 result->pods, " pods, ", result->policies, " policies, hash ",
                                 EscapeForMessage(result->policy_hash), ", ",
                                 result->compile_ns / 1'000'000, " ms"));
  ToMessage(*result, *response);
  return grpc::Status::OK;
}

grpc::Status ControlService::Confirm(grpc::ServerContext* context,
                                     const v1::ConfirmRequest* request, v1::ConfirmResponse*) {
  const Call call(state_, *context);
  absl::Status done = MayChange(call, "confirm");
  if (done.ok()) {
    const std::lock_guard lock(state_.changing);
    done = state_.handler.Confirm(request->generation());
    state_.log.Always(absl::StrCat("confirm of generation ", request->generation(), " by ",
                                   call.who(), done.ok() ? "" : " is refused"));
  }
  return ToGrpc(done, *context);
}

grpc::Status ControlService::WaitForGeneration(grpc::ServerContext* context,
                                               const v1::WaitForGenerationRequest* request,
                                               v1::WaitForGenerationResponse*) {
  const Call call(state_, *context);
  const LongCall waiting(long_calls_);
  absl::Status done = waiting.Admitted();
  if (!done.ok()) return ToGrpc(done, *context);
  const auto until = Clock::now() + nanoseconds(std::min(request->timeout_ns(), kWaitNsMax));
  for (;;) {
    const auto left = std::max<int64_t>(nanoseconds(until - Clock::now()).count(), 0);
    done = state_.handler.WaitFor(request->generation(),
                                  std::min(static_cast<uint64_t>(left), kSliceNs));
    if (done.code() != absl::StatusCode::kDeadlineExceeded || left == 0) break;
    if (context->IsCancelled() || state_.stopping) break;
  }
  return ToGrpc(done, *context);
}

grpc::Status ControlService::Explain(grpc::ServerContext* context,
                                     const v1::ExplainRequest* request,
                                     v1::ExplainResponse* response) {
  const Call call(state_, *context);
  const absl::StatusOr<FlowKey> key = FromMessage(request->key());
  if (!key.ok()) return ToGrpc(key.status(), *context);
  const absl::StatusOr<ExplainResult> result = state_.handler.Explain(*key);
  if (result.ok()) ToMessage(*result, *response);
  return ToGrpc(result.status(), *context);
}

grpc::Status ControlService::ListConnections(grpc::ServerContext* context,
                                             const v1::ListConnectionsRequest* request,
                                             v1::ListConnectionsResponse* response) {
  const Call call(state_, *context);
  const auto found = state_.handler.ListConnections(LimitOf(request->limit()));
  if (!found.ok()) return ToGrpc(found.status(), *context);
  for (const Connection& connection : *found) ToMessage(connection, *response->add_connections());
  return grpc::Status::OK;
}

// It compiles, and it may read files: for those who may change.
grpc::Status ControlService::WouldCut(grpc::ServerContext* context,
                                      const v1::WouldCutRequest* request,
                                      v1::WouldCutResponse* response) {
  const Call call(state_, *context);
  if (absl::Status may = MayChange(call, "would-cut"); !may.ok()) return ToGrpc(may, *context);
  absl::StatusOr<LoadRequest> load = FromMessage(*request);
  if (!load.ok()) return ToGrpc(load.status(), *context);
  load->who = call.who();
  const std::lock_guard lock(state_.changing);
  const auto found = state_.handler.WouldCut(*load, LimitOf(request->limit()));
  if (!found.ok()) return ToGrpc(found.status(), *context);
  for (const Connection& connection : *found) ToMessage(connection, *response->add_connections());
  return grpc::Status::OK;
}

grpc::Status ControlService::WatchDenied(grpc::ServerContext* context,
                                         const v1::WatchDeniedRequest*,
                                         grpc::ServerWriter<v1::WatchDeniedResponse>* writer) {
  const Call call(state_, *context);
  const LongCall watching(long_calls_);
  if (absl::Status may = watching.Admitted(); !may.ok()) return ToGrpc(may, *context);
  writer->SendInitialMetadata();  // so that the client knows that it watches
  state_.handler.WatchDenied([&](const DeniedPacket* packet) {
    if (context->IsCancelled() || state_.stopping) return false;
    if (packet == nullptr) return true;
    v1::WatchDeniedResponse response;
    ToMessage(*packet, response);
    return writer->Write(response);
  });
  return grpc::Status::OK;
}

}  // namespace npf::control

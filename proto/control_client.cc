#include "proto/control_client.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "npf/v1/control.grpc.pb.h"
#include "proto/convert.h"
#include "proto/limits.h"
#include "proto/quiet.h"
#include "proto/socket.h"

namespace npf::control {
namespace {

using std::chrono::milliseconds;

constexpr int kAnswerBytesMax = 256 << 20;
constexpr int kCompilePatience = 100;  // times that of other answers

absl::Status FromGrpc(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::UNAVAILABLE:
      return absl::UnavailableError(
          absl::StrCat("the appliance closed the connection: it ends, or it has too many (",
                       status.error_message(), ")"));
    default:
      return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
  }
}

uint32_t Saturated(size_t limit) {
  return static_cast<uint32_t>(std::min<size_t>(limit, std::numeric_limits<uint32_t>::max()));
}

template <typename Messages>
absl::StatusOr<std::vector<Connection>> ToConnections(const Messages& messages) {
  std::vector<Connection> connections;
  connections.reserve(static_cast<size_t>(messages.size()));
  for (const v1::Connection& message : messages) {
    absl::StatusOr<Connection> connection = FromMessage(message);
    if (!connection.ok()) return connection.status();
    connections.push_back(*std::move(connection));
  }
  return connections;
}

}  // namespace

class ControlClient::Impl {
 public:
  using Stub = v1::ControlService::Stub;

  Impl(const std::shared_ptr<grpc::Channel>& channel, milliseconds patience)
      : stub_(v1::ControlService::NewStub(channel)), patience_(patience) {}

  template <typename Request, typename Response>
  absl::Status Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response& response, milliseconds patience) {
    grpc::ClientContext context;
    context.AddMetadata(kStatusBytesKey, std::to_string(kStatusBytesMax));
    context.set_deadline(std::chrono::system_clock::now() + patience);
    return FromGrpc((stub_.get()->*method)(&context, request, &response));
  }

  template <typename Request, typename Response>
  absl::Status Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response& response) {
    return Ask(method, request, response, patience_);
  }

  Stub& stub() { return *stub_; }
  milliseconds patience() const { return patience_; }

 private:
  std::unique_ptr<Stub> stub_;
  const milliseconds patience_;
};

ControlClient::ControlClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlClient::~ControlClient() = default;

absl::StatusOr<std::unique_ptr<ControlClient>> ControlClient::Connect(const std::string& path,
                                                                      milliseconds patience) {
  QuietGrpc();
  absl::StatusOr<Descriptor> connected = ConnectTo(path);
  if (!connected.ok()) return connected.status();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  // Line ends count three, and names more than their bytes.
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(4 * kStatusBytesMax));
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomInsecureChannelFromFd("npf", connected->Release(), arguments);
  return std::unique_ptr<ControlClient>(
      new ControlClient(std::make_unique<Impl>(channel, patience)));
}

absl::StatusOr<Status> ControlClient::GetStatus() {
  v1::GetStatusResponse response;
  const absl::Status asked = impl_->Ask(&Impl::Stub::GetStatus, v1::GetStatusRequest(), response);
  if (!asked.ok()) return asked;
  return FromMessage(response.status());
}

absl::StatusOr<std::vector<PolicyCount>> ControlClient::GetPolicyCounts() {
  v1::GetPolicyCountsResponse response;
  const absl::Status asked =
      impl_->Ask(&Impl::Stub::GetPolicyCounts, v1::GetPolicyCountsRequest(), response);
  if (!asked.ok()) return asked;
  std::vector<PolicyCount> counts;
  for (const v1::PolicyCount& count : response.counts()) counts.push_back(FromMessage(count));
  return counts;
}

absl::StatusOr<std::vector<PodVisibility>> ControlClient::GetVisibility() {
  v1::GetVisibilityResponse response;
  const absl::Status asked =
      impl_->Ask(&Impl::Stub::GetVisibility, v1::GetVisibilityRequest(), response);
  if (!asked.ok()) return asked;
  std::vector<PodVisibility> pods;
  for (const v1::PodVisibility& pod : response.pods()) pods.push_back(FromMessage(pod));
  return pods;
}

absl::StatusOr<LoadResult> ControlClient::Load(const LoadRequest& request) {
  v1::LoadRequest message;
  ToMessage(request, message);
  v1::LoadResponse response;
  const absl::Status asked =
      impl_->Ask(&Impl::Stub::Load, message, response, kCompilePatience * impl_->patience());
  if (!asked.ok()) return asked;
  return FromMessage(response);
}

absl::Status ControlClient::Confirm(uint32_t generation) {
  v1::ConfirmRequest request;
  request.set_generation(generation);
  v1::ConfirmResponse response;
  // It waits for a load that has begun.
  return impl_->Ask(&Impl::Stub::Confirm, request, response, kCompilePatience * impl_->patience());
}

absl::Status ControlClient::WaitFor(uint32_t generation, uint64_t timeout_ns) {
  const uint64_t bounded = std::min(timeout_ns, kWaitNsMax);
  v1::WaitForGenerationRequest request;
  request.set_generation(generation);
  request.set_timeout_ns(bounded);
  v1::WaitForGenerationResponse response;
  return impl_->Ask(&Impl::Stub::WaitForGeneration, request, response,
                    impl_->patience() + milliseconds(bounded / 1'000'000));
}

absl::StatusOr<ExplainResult> ControlClient::Explain(const FlowKey& key) {
  v1::ExplainRequest request;
  ToMessage(key, *request.mutable_key());
  v1::ExplainResponse response;
  const absl::Status asked = impl_->Ask(&Impl::Stub::Explain, request, response);
  if (!asked.ok()) return asked;
  return FromMessage(response);
}

absl::StatusOr<std::vector<Connection>> ControlClient::ListConnections(size_t limit) {
  v1::ListConnectionsRequest request;
  request.set_limit(Saturated(limit));
  v1::ListConnectionsResponse response;
  const absl::Status asked = impl_->Ask(&Impl::Stub::ListConnections, request, response);
  if (!asked.ok()) return asked;
  return ToConnections(response.connections());
}

absl::StatusOr<std::vector<Connection>> ControlClient::WouldCut(const LoadRequest& request,
                                                                size_t limit) {
  v1::WouldCutRequest message;
  ToMessage(request, *message.mutable_objects());
  message.set_limit(Saturated(limit));
  v1::WouldCutResponse response;
  const absl::Status asked =
      impl_->Ask(&Impl::Stub::WouldCut, message, response, kCompilePatience * impl_->patience());
  if (!asked.ok()) return asked;
  return ToConnections(response.connections());
}

absl::Status ControlClient::WatchDenied(const std::function<bool(const DeniedPacket&)>& use) {
  grpc::ClientContext context;
  const auto reader = impl_->stub().WatchDenied(&context, v1::WatchDeniedRequest());
  v1::WatchDeniedResponse message;
  while (reader->Read(&message)) {
    const absl::StatusOr<DeniedPacket> packet = FromMessage(message);
    if (!packet.ok() || !use(*packet)) {
      context.TryCancel();
      reader->Finish();
      return packet.status();
    }
  }
  return FromGrpc(reader->Finish());
}

}  // namespace npf::control

#include "proto/control_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_posix.h>
#include <grpcpp/support/server_interceptor.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "proto/connections.h"
#include "proto/control_service.h"
#include "proto/limits.h"
#include "proto/quiet.h"
#include "proto/socket.h"

namespace npf::control {
namespace {

constexpr int kThreadsMax = 64;
constexpr int kStreamsMax = 8;  // of one connection
constexpr int kHeaderBytesMax = 8 << 10;
constexpr size_t kMemoryMax = size_t{512} << 20;

void LogToStderr(std::string_view line) {
  std::fprintf(stderr, "npf control: %.*s\n", static_cast<int>(line.size()), line.data());
}

// Of a request that does not parse, gRPC says INTERNAL, and nothing else; no handler says that.
class RefuseWhatDoesNotParse : public grpc::experimental::Interceptor {
 public:
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      const grpc::Status status = methods->GetSendStatus();
      if (status.error_code() == grpc::StatusCode::INTERNAL && status.error_message().empty()) {
        methods->ModifySendStatus(
            {grpc::StatusCode::INVALID_ARGUMENT,
             "the request does not parse: its bytes are not a message of this method, or a text in "
             "it is not UTF-8"});
      }
    }
    methods->Proceed();
  }
};

class MakeRefuse : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo*) override {
    return new RefuseWhatDoesNotParse;
  }
};

std::unique_ptr<grpc::Server> Build(const ServerOptions& options, Role role,
                                    ControlService& service) {
  const int keepalive = static_cast<int>(options.keepalive.count());
  grpc::ResourceQuota quota(role == Role::kChange ? "npf-change" : "npf-read");
  quota.SetMaxThreads(kThreadsMax).Resize(kMemoryMax);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota)
      .SetMaxReceiveMessageSize(role == Role::kChange ? kRequestBytesMax : kReaderRequestBytesMax)
      .SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1)
      .SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1)
      .SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2)
      .AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax)
      .AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kHeaderBytesMax)
      .AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive)
      .AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive)
      .AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1)
      .AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0)
      .RegisterService(&service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
  creators.push_back(std::make_unique<MakeRefuse>());
  builder.experimental().SetInterceptorCreators(std::move(creators));
  return builder.BuildAndStart();
}

}  // namespace

// Two servers, one for each role, so that no request can come to more than its connection may do.
class ControlServer::Impl {
 public:
  Impl(const ServerOptions& options, Handler& handler, ListeningSocket socket)
      : log_(options.log ? options.log : LogToStderr),
        state_{.handler = handler, .log = log_},
        changing_(state_, Role::kChange),
        reading_(state_, Role::kRead),
        connections_(std::move(socket),
                     {.connections_max = options.connections_max,
                      .readers_max = std::min(options.readers_max, options.connections_max),
                      .idle = options.idle},
                     log_, [this](int fd, Role role) { Admit(fd, role); }) {
    state_.connections = &connections_;
  }

  absl::Status Start(const ServerOptions& options) {
    change_server_ = Build(options, Role::kChange, changing_);
    read_server_ = Build(options, Role::kRead, reading_);
    if (change_server_ == nullptr || read_server_ == nullptr) {
      return absl::UnavailableError("gRPC does not start");
    }
    return connections_.Start();
  }

  void Stop(std::chrono::milliseconds grace) {
    connections_.Stop();
    state_.stopping = true;
    const auto until = std::chrono::system_clock::now() + grace;
    for (const auto& server : {change_server_.get(), read_server_.get()}) {
      if (server != nullptr) server->Shutdown(until);
    }
    change_server_.reset();
    read_server_.reset();
  }

 private:
  void Admit(int fd, Role role) {
    grpc::AddInsecureChannelFromFd(
        role == Role::kChange ? change_server_.get() : read_server_.get(), fd);
  }

  BoundedLog log_;
  ServiceState state_;
  ControlService changing_;
  ControlService reading_;
  std::unique_ptr<grpc::Server> change_server_;
  std::unique_ptr<grpc::Server> read_server_;
  Connections connections_;
};

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlServer::~ControlServer() { Stop(std::chrono::seconds(1)); }

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Start(const ServerOptions& options,
                                                                    Handler& handler) {
  absl::StatusOr<ListeningSocket> socket = ListeningSocket::Open(options.path, options.group);
  if (!socket.ok()) return socket.status();
  return Start(options, handler, *std::move(socket));
}

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Start(const ServerOptions& options,
                                                                    Handler& handler,
                                                                    ListeningSocket socket) {
  QuietGrpc();
  auto impl = std::make_unique<Impl>(options, handler, std::move(socket));
  absl::Status started = impl->Start(options);
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(impl)));
  if (!started.ok()) return started;
  return server;
}

void ControlServer::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

}  // namespace npf::control

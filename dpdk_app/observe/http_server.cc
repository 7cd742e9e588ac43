#include "observe/http_server.h"

#include <httplib.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "npf/address.h"
#include "observe/metrics.h"

namespace npf::observe {
namespace {

using Clock = std::chrono::steady_clock;
constexpr char kPlainText[] = "text/plain; charset=utf-8";
constexpr auto kStopLook = std::chrono::milliseconds(50);

struct Address {
  std::string host;
  int port = 0;
};

std::optional<Address> ParseAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.empty()) host = "0.0.0.0";
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const std::optional<IpAddress> address = ParseIpAddress(host);
  if (!address || (address->family == Family::kIpv6) != in_brackets) return std::nullopt;
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return Address{std::string(host), number};
}

// A connection with a bound on its time and on what it may send, as httplib reads and writes it:
// httplib's own bounds are on each read, so that a byte now and then holds a thread for ever.
class BoundedStream : public httplib::Stream {
 public:
  BoundedStream(int socket, const HttpLimits& limits, const std::atomic<bool>& stopping)
      : socket_(socket),
        bytes_left_(limits.request_bytes_max),
        end_(Clock::now() + std::chrono::milliseconds(limits.connection_ms)),
        stopping_(stopping) {}

  bool is_readable() const override { return bytes_left_ > 0 && WaitFor(POLLIN); }
  bool is_writable() const override { return WaitFor(POLLOUT); }
  ssize_t read(char* to, size_t size) override {
    if (!is_readable()) return -1;
    const ssize_t got = recv(socket_, to, std::min(size, bytes_left_), MSG_DONTWAIT);
    if (got > 0) bytes_left_ -= static_cast<size_t>(got);
    return got;
  }
  ssize_t write(const char* from, size_t size) override {
    return is_writable() ? send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool WaitFor(short what) const {
    while (!stopping_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
      if (left.count() <= 0) return false;
      pollfd ready{socket_, what, 0};
      const int found = poll(&ready, 1, static_cast<int>(std::min(left, kStopLook).count()));
      if (found < 0 && errno != EINTR) return false;
      if (found > 0) return true;
    }
    return false;
  }

  int socket_;
  size_t bytes_left_;
  Clock::time_point end_;
  const std::atomic<bool>& stopping_;
};

// httplib's pool, whose queue has no bound; here the one who accepts waits.
class BoundedPool : public httplib::TaskQueue {
 public:
  explicit BoundedPool(const HttpLimits& limits)
      : pool_(limits.threads), jobs_max_(limits.threads + limits.waiting) {}

  void enqueue(std::function<void()> job) override {
    {
      std::unique_lock lock(mutex_);
      job_ended_.wait(lock, [&] { return jobs_ < jobs_max_; });
      ++jobs_;
    }
    pool_.enqueue([this, job = std::move(job)] {
      job();
      const std::lock_guard lock(mutex_);
      --jobs_;
      job_ended_.notify_one();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  httplib::ThreadPool pool_;
  size_t jobs_max_;
  std::mutex mutex_;
  std::condition_variable job_ended_;
  size_t jobs_ = 0;
};

class BoundedServer : public httplib::Server {
 public:
  explicit BoundedServer(const HttpLimits& limits) : limits_(limits) {
    new_task_queue = [this] { return new BoundedPool(limits_); };
    set_payload_max_length(limits.request_bytes_max);
    // Not SO_REUSEPORT, which is httplib's default: a taken address must be an error.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
  }
  void EndConnections() { stopping_ = true; }

 private:
  bool process_and_close_socket(socket_t socket) override {
    BoundedStream stream(socket, limits_, stopping_);
    bool closed = false;
    const bool done = process_request(stream, /*close_connection=*/true, closed, nullptr);
    ::shutdown(socket, SHUT_RDWR);
    close(socket);
    return done;
  }

  HttpLimits limits_;
  std::atomic<bool> stopping_ = false;
};

void Answer(const std::vector<std::string>& reasons, httplib::Response& response) {
  std::string text;
  for (const std::string& reason : reasons) {
    text += reason;
    std::replace(text.end() - static_cast<std::ptrdiff_t>(reason.size()), text.end(), '\n', ' ');
    text += '\n';
  }
  response.status = reasons.empty() ? 200 : 503;
  response.set_header("Cache-Control", "no-store");
  response.set_content(reasons.empty() ? "ok\n" : text, kPlainText);
}

class Running : public HttpServer {
 public:
  Running(HttpHandlers handlers, const HttpLimits& limits)
      : handlers_(std::move(handlers)), server_(limits) {}
  ~Running() override {
    if (!thread_.joinable()) return;
    server_.EndConnections();
    server_.stop();
    thread_.join();
  }
  int port() const override { return port_; }

  absl::Status Begin(std::string_view text) {
    const std::optional<Address> address = ParseAddress(text);
    if (!address) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", std::string(text), "\" is no ADDRESS:PORT, such as ",
                       std::string(kDefaultHttpAddress), " or [::1]:9080"));
    }
    Route();
    errno = 0;
    port_ = address->port;
    if (port_ == 0) {
      port_ = server_.bind_to_any_port(address->host);
    } else if (!server_.bind_to_port(address->host, port_)) {
      port_ = -1;
    }
    if (port_ < 0) {
      return absl::ErrnoToStatus(errno != 0 ? errno : EADDRINUSE,
                                 absl::StrCat("cannot serve HTTP on ", std::string(text)));
    }
    thread_ = std::thread([this] { Serve(); });
    // stop() has no effect before that.
    while (!server_.is_running() && !ended_)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return ended_ ? absl::InternalError(absl::StrCat("cannot serve HTTP on ", std::string(text)))
                  : absl::OkStatus();
  }

 private:
  void Route() {
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(handlers_.metrics(), std::string(kMetricsContentType));
    });
    server_.Get("/livez",
                [](const httplib::Request&, httplib::Response& response) { Answer({}, response); });
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      Answer(handlers_.unhealthy(), response);
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      Answer(handlers_.not_ready(), response);
    });
  }

  // Signals are for the threads that expect them; the pool's threads inherit the mask.
  void Serve() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    server_.listen_after_bind();
    ended_ = true;
  }

  HttpHandlers handlers_;
  BoundedServer server_;
  int port_ = -1;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(std::string_view address,
                                                              HttpHandlers handlers,
                                                              HttpLimits limits) {
  auto server = std::make_unique<Running>(std::move(handlers), limits);
  if (absl::Status status = server->Begin(address); !status.ok()) return status;
  return server;
}

}  // namespace npf::observe

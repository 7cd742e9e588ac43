// What systemd is told by a service of Type=notify: over the socket that $NOTIFY_SOCKET names. That
// is one datagram, so it needs no libsystemd. Without the variable nothing is told, and that is no
// error.
#ifndef NPF_DPDK_APP_OBSERVE_SYSTEMD_H_
#define NPF_DPDK_APP_OBSERVE_SYSTEMD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace npf::observe {

class Notifier {
 public:
  // Reads the environment: before there are other threads. A socket that cannot be had is an error.
  static absl::StatusOr<Notifier> FromEnvironment();
  Notifier(Notifier&& other) noexcept;
  Notifier& operator=(Notifier&& other) noexcept;
  ~Notifier();

  // Each returns false where it could not be told; it never waits. `status` is shown by
  // `systemctl status`; line ends in it become spaces.
  bool Ready(std::string_view status) const;
  bool Status(std::string_view status) const;
  bool Reloading() const;  // Ready ends it
  bool Stopping(std::string_view status) const;
  bool Alive() const;  // call it at least every watchdog_ns(), and only where workers are alive

  // Half of what systemd allows for; nothing where it does not watch this process.
  std::optional<uint64_t> watchdog_ns() const { return watchdog_ns_; }

 private:
  Notifier() = default;
  bool Send(const std::string& text) const;

  int socket_ = -1;
  std::optional<uint64_t> watchdog_ns_;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_SYSTEMD_H_

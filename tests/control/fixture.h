// A control server on a socket of its own, with a Handler that remembers what it was asked.
#ifndef NPF_TESTS_CONTROL_FIXTURE_H_
#define NPF_TESTS_CONTROL_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proto/control_client.h"
#include "proto/control_server.h"

namespace npf::control {

FlowKey TestKey();
Status TestStatus();  // each member other than its default
Connection TestConnection();
DeniedPacket TestDenied();

class FakeHandler : public Handler {
 public:
  Status GetStatus() override;
  std::vector<PolicyCount> GetPolicyCounts() override;
  std::vector<PodVisibility> GetVisibility() override;
  // Refuses what contains "wrong", with `refusal`; waits while `hold` is set.
  absl::StatusOr<LoadResult> Load(const LoadRequest& request) override;
  absl::Status Confirm(uint32_t generation) override;                       // of 8
  absl::Status WaitFor(uint32_t generation, uint64_t timeout_ns) override;  // up to 8
  absl::StatusOr<ExplainResult> Explain(const FlowKey& key) override;       // port 80 is allowed
  absl::StatusOr<std::vector<Connection>> ListConnections(size_t limit) override;
  absl::StatusOr<std::vector<Connection>> WouldCut(const LoadRequest& request,
                                                   size_t limit) override;
  void WatchDenied(const std::function<bool(const DeniedPacket*)>& use) override;  // three

  std::vector<LoadRequest> loads();

  std::atomic<bool> ready = true;
  std::atomic<bool> hold = false;
  std::atomic<int> loading = 0;
  std::atomic<int> loading_most = 0;
  std::atomic<int> watchers = 0;
  std::string refusal = "text:3:1: NetworkPolicy shop/db: spec: is wrong\ntext:9:1: and this";

 private:
  std::mutex mutex_;
  std::vector<LoadRequest> loads_;
};

struct Outcome {
  int exit_status = -1;
  std::string out;
  std::string err;
};

class ControlTest : public ::testing::Test {
 protected:
  ControlTest();
  ~ControlTest() override;

  void Start();  // with options_
  std::unique_ptr<ControlClient> Client();
  // A connection that speaks no gRPC yet.
  int Raw();
  // Whether the other end closes it within two seconds; reads what comes before that.
  static bool IsClosed(int fd);
  bool Answers();  // a new client gets a status
  std::string Log();
  // The command npf, with `--socket` behind its arguments; as another user where `uid` is not 0.
  Outcome Npf(std::vector<std::string> arguments, uid_t uid = 0, gid_t gid = 0);
  std::string WriteFile(const std::string& name, const std::string& text);

  std::string directory_;  // 0755, ours
  FakeHandler handler_;
  ServerOptions options_;
  std::unique_ptr<ControlServer> server_;

 private:
  std::mutex log_mutex_;
  std::string log_;
};

}  // namespace npf::control

#endif  // NPF_TESTS_CONTROL_FIXTURE_H_

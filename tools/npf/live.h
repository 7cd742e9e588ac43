// What the verbs that talk to a running appliance share.
#ifndef NPF_TOOLS_NPF_LIVE_H_
#define NPF_TOOLS_NPF_LIVE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "npf/command_line.h"
#include "proto/control_client.h"

namespace npf::tools {

// Adds --socket.
void AddSocketFlag(Verb& verb, std::string& path);

// Null where it cannot be reached, which is told on stderr; the verb ends with kExitEnvironment.
std::unique_ptr<control::ControlClient> ConnectLive(const std::string& path);

// Tells a failure on stderr, each of its lines with "npf: ", and says how the verb should end.
int ReportLive(const absl::Status& status);

// "30s", "500ms", "5m", "1h", or seconds; in nanoseconds.
std::optional<uint64_t> ParseDuration(std::string_view text);
std::string CheckDuration(const std::string& text);  // for Option::Check
std::string DurationText(uint64_t ns);               // "3d 4h", "12m 3s", "1.5s"

// Text that came from an appliance, for a terminal.
std::string Shown(std::string_view text);
std::string EndText(const FlowKey& key, bool source);  // "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1"

std::string ConnectionTable(const std::vector<control::Connection>& connections);
std::string ConnectionJson(const std::vector<control::Connection>& connections);
// Members of a JSON object, without braces: src, dst, proto and ports where there are any.
std::string KeyJson(const FlowKey& key);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_LIVE_H_

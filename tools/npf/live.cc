#include "npf/live.h"

#include <array>
#include <cstdio>
#include <utility>

#include "npf/address.h"
#include "npf/compile_input.h"
#include "npf/diagnostics.h"
#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

}  // namespace

void AddSocketFlag(Verb& verb, std::string& path) {
  path = control::kDefaultSocket;
  verb.AddText("--socket", path, "the control socket of the appliance").ShowDefault().Type("PATH");
}

std::unique_ptr<control::ControlClient> ConnectLive(const std::string& path) {
  auto client = control::ControlClient::Connect(path);
  if (client.ok()) return *std::move(client);
  ReportLive(client.status());
  return nullptr;
}

int ReportLive(const absl::Status& status) {
  std::string_view rest(status.message().data(), status.message().size());
  for (size_t end; (end = rest.find('\n')) != std::string_view::npos;) {
    PrintError(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return ReportStatus({status.code(), {rest.data(), rest.size()}});
}

std::optional<uint64_t> ParseDuration(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789");
  const auto number = ParseNumber(text.substr(0, digits), 1'000'000'000);
  if (!number) return std::nullopt;
  const std::string_view unit = digits == std::string_view::npos ? "s" : text.substr(digits);
  if (unit == "ms") return *number * (kSecond / 1000);
  if (unit == "s") return *number * kSecond;
  if (unit == "m") return *number * 60 * kSecond;
  // More hours than 64 bits of nanoseconds have.
  if (unit == "h" && *number <= 1'000'000) return *number * 3600 * kSecond;
  return std::nullopt;
}

std::string CheckDuration(const std::string& text) {
  if (ParseDuration(text)) return "";
  return "not a duration (found \"" + EscapeForMessage(text) + "\"); as 500ms, 30s, 5m or 1h";
}

std::string DurationText(uint64_t ns) {
  const uint64_t s = ns / kSecond;
  if (s >= 86400) return std::to_string(s / 86400) + "d " + std::to_string(s / 3600 % 24) + "h";
  if (s >= 3600) return std::to_string(s / 3600) + "h " + std::to_string(s / 60 % 60) + "m";
  if (s >= 60) return std::to_string(s / 60) + "m " + std::to_string(s % 60) + "s";
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1fs", static_cast<double>(ns) / 1e9);
  return text.data();
}

std::string Shown(std::string_view text) { return EscapeForMessage(text, 4096); }

std::string EndText(const FlowKey& key, bool source) {
  const IpAddress address = source ? SourceOf(key) : DestinationOf(key);
  const std::string text = ToString(address);
  if (!HasPorts(key.protocol)) return text;
  const std::string port = ":" + std::to_string(source ? key.src_port : key.dst_port);
  return address.family == Family::kIpv6 ? "[" + text + "]" + port : text + port;
}

std::string KeyJson(const FlowKey& key) {
  std::string out = "\"src\":" + JsonString(ToString(SourceOf(key))) +
                    ",\"dst\":" + JsonString(ToString(DestinationOf(key))) +
                    ",\"proto\":" + JsonString(ProtocolName(key.protocol));
  if (HasPorts(key.protocol)) {
    out += ",\"src_port\":" + std::to_string(key.src_port) +
           ",\"dst_port\":" + std::to_string(key.dst_port);
  }
  return out;
}

std::string ConnectionTable(const std::vector<control::Connection>& connections) {
  Table table({"PROTO", "FROM", "TO", "STATE", ">GENERATION", "FROM POD", "TO POD"});
  for (const control::Connection& connection : connections) {
    table.AddRow({ProtocolName(connection.key.protocol), EndText(connection.key, true),
                  EndText(connection.key, false), Shown(connection.state),
                  std::to_string(connection.generation), Shown(connection.src_pod),
                  Shown(connection.dst_pod)});
  }
  return table.Text();
}

std::string ConnectionJson(const std::vector<control::Connection>& connections) {
  std::string out = "{\"connections\":[";
  for (const control::Connection& connection : connections) {
    if (out.back() == '}') out += ',';
    out += "{" + KeyJson(connection.key) + ",\"src_pod\":" + JsonString(connection.src_pod) +
           ",\"dst_pod\":" + JsonString(connection.dst_pod) +
           ",\"state\":" + JsonString(connection.state) +
           ",\"generation\":" + std::to_string(connection.generation) + "}";
  }
  return out + "]}\n";
}

}  // namespace npf::tools

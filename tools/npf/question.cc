#include "npf/question.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "npf/diagnostics.h"
#include "npf/flow.h"

namespace npf::tools {
namespace {

absl::Status Wrong(std::string_view what, std::string_view found) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), " (\"", EscapeForMessage(found), "\")"));
}

std::string WithoutBrackets(std::string_view end) {
  if (end.size() > 2 && end.front() == '[' && end.back() == ']') {
    return std::string(end.substr(1, end.size() - 2));
  }
  return std::string(end);
}

// Where the part behind the end begins: at a colon outside brackets, of an end that is not a bare
// IPv6 address.
size_t EndLength(std::string_view dst) {
  if (ParseIpAddress(dst)) return dst.size();
  const size_t bracket = dst.find(']');
  const size_t colon = dst.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return std::min(colon, dst.size());
}

absl::Status ParsePortAndProtocol(std::string_view text, QuestionText& question) {
  const size_t slash = text.find('/');
  const std::string_view before = text.substr(0, slash);
  if (const auto port = ParseNumber(before, 65535)) {
    const auto protocol = slash == std::string_view::npos ? ParseProtocol("TCP")
                                                          : ParseProtocol(text.substr(slash + 1));
    if (!protocol) return Wrong("not a protocol; " + std::string(kProtocolForms), text);
    if (!HasPorts(protocol->number)) {
      return Wrong("only TCP, UDP and SCTP have ports", text);
    }
    question.protocol = *protocol;
    question.port = static_cast<uint16_t>(*port);
    question.port_given = true;
    return absl::OkStatus();
  }
  const auto protocol = ParseProtocol(before.empty() && !text.empty() ? text.substr(1) : text);
  if (!protocol) {
    return Wrong("not a port or protocol; write PORT, PORT/PROTO, ICMP, ICMP/TYPE or /NUMBER",
                 text);
  }
  if (HasPorts(protocol->number)) {
    return Wrong("TCP, UDP and SCTP need a port; write PORT/PROTO", text);
  }
  question.protocol = *protocol;
  return absl::OkStatus();
}

const Pod* FindPod(const Snapshot& snapshot, std::string_view ns, std::string_view name) {
  const auto& pods = snapshot.pods();
  const auto at = std::find_if(pods.begin(), pods.end(),
                               [&](const Pod& pod) { return pod.ns == ns && pod.name == name; });
  return at == pods.end() ? nullptr : &*at;
}

absl::StatusOr<std::vector<IpAddress>> AddressesOf(std::string_view end, const Snapshot& snapshot,
                                                   std::string_view default_namespace) {
  if (const auto address = ParseIpAddress(end)) return std::vector<IpAddress>{*address};
  const size_t slash = end.find('/');
  const std::string_view ns =
      slash == std::string_view::npos ? default_namespace : end.substr(0, slash);
  const std::string_view name = slash == std::string_view::npos ? end : end.substr(slash + 1);
  const Pod* pod = FindPod(snapshot, ns, name);
  if (pod == nullptr) {
    return Wrong("no such pod in the input; write an IP address, or NAMESPACE/POD", end);
  }
  std::vector<IpAddress> addresses;
  for (const std::string& text : pod->ips) {
    if (const auto address = ParseIpAddress(text)) addresses.push_back(*address);
  }
  if (addresses.empty()) return Wrong("this pod has no address", end);
  return addresses;
}

}  // namespace

absl::StatusOr<QuestionText> ParseQuestion(std::string_view src, std::string_view dst) {
  QuestionText question;
  question.protocol.number = 255;  // reserved by IANA: some protocol without ports
  question.src = WithoutBrackets(src);
  const size_t end = EndLength(dst);
  question.dst = WithoutBrackets(dst.substr(0, end));
  if (end < dst.size()) {
    const absl::Status parsed = ParsePortAndProtocol(dst.substr(end + 1), question);
    if (!parsed.ok()) return parsed;
  }
  return question;
}

absl::StatusOr<Question> ResolveQuestion(const QuestionText& text, const Snapshot& snapshot,
                                         std::string_view default_namespace, bool prefer_v6) {
  const auto src = AddressesOf(text.src, snapshot, default_namespace);
  if (!src.ok()) return src.status();
  const auto dst = AddressesOf(text.dst, snapshot, default_namespace);
  if (!dst.ok()) return dst.status();
  std::optional<Question> found;
  for (const IpAddress& a : *src) {
    for (const IpAddress& b : *dst) {
      if (a.family != b.family) continue;
      const bool preferred = (a.family == Family::kIpv6) == prefer_v6;
      if (!found || preferred) found = Question{.src = a, .dst = b, .text = text};
      if (preferred) return *found;
    }
  }
  if (!found) {
    return Wrong("the two ends have no address family in common", text.src + " and " + text.dst);
  }
  return *found;
}

}  // namespace npf::tools

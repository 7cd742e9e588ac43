// A question as explain's arguments ask it: SRC DST[:PORT[/PROTO]].
#ifndef NPF_TOOLS_NPF_QUESTION_H_
#define NPF_TOOLS_NPF_QUESTION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "npf/address.h"
#include "npf/protocol.h"
#include "npf/snapshot.h"

namespace npf::tools {

// What the texts say, before pods are looked up. An end is an address or a pod's name.
struct QuestionText {
  std::string src;  // without brackets
  std::string dst;
  ProtocolText protocol;
  uint16_t port = 0;
  bool port_given = false;  // false: a question about traffic without ports
};

// DST forms: END, END:PORT, END:PORT/PROTO, END:PROTO, END:ICMP/TYPE, END:/NUMBER; END is an IPv4
// address, an IPv6 address (in brackets where something follows), NAMESPACE/POD or POD.
absl::StatusOr<QuestionText> ParseQuestion(std::string_view src, std::string_view dst);

struct Question {
  IpAddress src;
  IpAddress dst;
  QuestionText text;
};

// Looks pods up, a name without a namespace in `default_namespace`, and finds a family that both
// ends have: IPv4 first, unless `prefer_v6`.
absl::StatusOr<Question> ResolveQuestion(const QuestionText& text, const Snapshot& snapshot,
                                         std::string_view default_namespace, bool prefer_v6);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_QUESTION_H_

// The slow parser as a whole: a frame cut into layers (frame_cut.h), held against every rule
// (frame_rules.h). It has no code of the library's, only its public types.
#ifndef NPF_TESTS_PARSER_REFERENCE_PARSER_H_
#define NPF_TESTS_PARSER_REFERENCE_PARSER_H_

#include <optional>
#include <string>

#include "npf/packet.h"
#include "parser/frame_cut.h"
#include "parser/frame_rules.h"

namespace npf::testing {

struct ReferenceAnswer {
  ParsedPacket parsed;
  std::optional<size_t> rule;  // that decided, index in AllRules()
};

ReferenceAnswer ReferenceParse(const FrameCut& cut, const PacketView& view);
// What `error`, an answer about `view`, quotes; error.quoted_bytes is not 0.
ReferenceAnswer ReferenceParseQuoted(const PacketView& view, const ParsedPacket& error);

// The fields that differ and count, as text; empty: none. Of what is denied that is why, between
// whom, and where it was found; of all else everything.
std::string Difference(const ParsedPacket& found, const ParsedPacket& expected);

// The layers, the rule that decided, the bytes.
std::string Describe(const FrameCut& cut, const PacketView& view, const ReferenceAnswer& answer);

}  // namespace npf::testing

#endif  // NPF_TESTS_PARSER_REFERENCE_PARSER_H_

// Fields of flows in JSON, in the forms that protobuf's JSON mapping allows: names in camelCase or
// as the .proto has them, 64-bit numbers as strings, values that are absent where they are zero.
#ifndef NPF_TOOLS_GAPS_FLOW_FIELDS_H_
#define NPF_TOOLS_GAPS_FLOW_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "load/json_values.h"

namespace npf::gaps {

class Fields {
 public:
  // `node` may be null: nothing is there.
  explicit Fields(const load::Node* node) : node_(node) {}

  const load::Node* Find(std::string_view name, std::string_view other = {}) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  Fields In(std::string_view name, std::string_view other = {}) const {
    return Fields(Find(name, other));
  }
  // "" where it is not there; numbers as they are written.
  std::string_view Text(std::string_view name, std::string_view other = {}) const;
  bool True(std::string_view name) const { return Text(name) == "true"; }
  // 0 where it is not there; nothing where it is no number of at most `max`.
  std::optional<uint64_t> Number(std::string_view name, std::string_view other = {},
                                 uint64_t max = UINT64_MAX) const;
  // Nanoseconds since 1970 of an RFC 3339 time, or of seconds; nothing where it is neither.
  std::optional<uint64_t> TimeNs(std::string_view name, std::string_view other = {}) const;
  const load::Node* node() const { return node_; }

 private:
  const load::Node* node_;
};

// Of an RFC 3339 time, from 1970 to 2262.
std::optional<uint64_t> ParseTimeNs(std::string_view text);

}  // namespace npf::gaps

#endif  // NPF_TOOLS_GAPS_FLOW_FIELDS_H_

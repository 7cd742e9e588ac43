// Values of JSON text as trees, for programs that read what others wrote: flow logs.
#ifndef NPF_LOAD_JSON_VALUES_H_
#define NPF_LOAD_JSON_VALUES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "load/node.h"

namespace npf::load {

struct JsonFault {
  uint32_t line = 1;  // in the text
  uint32_t column = 1;
  std::string detail;
};

// Calls `take` for each value of `text`, in order; of an object with a list `items`, for each item
// of that list in its place. A value is gone when `take` returns. Stops at the first fault: of the
// text (bytes that are not UTF-8, a name that stands twice, nesting deeper than 64), or of a value,
// where `take` says one; an empty string is none. A fault of a value stands where the value begins.
std::optional<JsonFault> ReadJsonValues(const std::string& text,
                                        const std::function<std::string(const Node&)>& take);

// The member `name` of a map; nullptr where `node` is null or no map, or has none.
const Node* Member(const Node* node, std::string_view name);

}  // namespace npf::load

#endif  // NPF_LOAD_JSON_VALUES_H_

// What an unquoted YAML scalar means: YAML 1.1 as Kubernetes' tools read it (R66).
#ifndef NPF_LOAD_YAML_SCALAR_H_
#define NPF_LOAD_YAML_SCALAR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "load/node.h"

namespace npf::load {

NodeKind PlainScalarKind(std::string_view text);

// A whole number as YAML 1.1 and JSON write it; nullopt where it does not fit 64 bits.
struct WholeNumber {
  int64_t value = 0;
  bool odd = false;  // not plain decimal: 0x50, 0120, 1_000, +80
};
std::optional<WholeNumber> ParseWholeNumber(std::string_view text);

}  // namespace npf::load

#endif  // NPF_LOAD_YAML_SCALAR_H_

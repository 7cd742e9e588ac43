// A file of settings in YAML or JSON: one mapping of names to scalars, or to lists of scalars.
//
//   placement: node-wire
//   http: 127.0.0.1:9080
//   nodes: [node-1, node-2]
#ifndef NPF_SETTINGS_H_
#define NPF_SETTINGS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace npf {

struct Setting {
  std::string name;
  std::string value;  // as it was written
  uint32_t line = 0;
  uint32_t column = 0;
};

// In the order of the text; of a list, a setting for each item. Fails with kInvalidArgument and
// every error on a line of its own, "NAME:LINE:COL: what is wrong": a value that is missing or is
// a mapping, a name that stands twice, a second document, text that is no YAML.
absl::StatusOr<std::vector<Setting>> ReadSettingsText(std::string_view text, std::string_view name);
// Of at most a mebibyte.
absl::StatusOr<std::vector<Setting>> ReadSettingsFile(const std::string& path);

}  // namespace npf

#endif  // NPF_SETTINGS_H_

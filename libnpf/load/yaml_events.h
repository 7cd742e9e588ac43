// YAML text into a TreeBuilder, through yaml-cpp's event parser: its document model hides duplicate
// keys and copies what aliases refer to.
#ifndef NPF_LOAD_YAML_EVENTS_H_
#define NPF_LOAD_YAML_EVENTS_H_

#include <optional>

#include "load/tree_builder.h"

namespace npf::load {

// Marks are those of TextSource::Marks::kLines. No exception leaves it.
std::optional<TextFault> ReadYaml(std::string_view text, TreeBuilder& builder);

}  // namespace npf::load

#endif  // NPF_LOAD_YAML_EVENTS_H_

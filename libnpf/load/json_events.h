// JSON text into a TreeBuilder, through RapidJSON's SAX reader.
#ifndef NPF_LOAD_JSON_EVENTS_H_
#define NPF_LOAD_JSON_EVENTS_H_

#include <optional>
#include <string>

#include "load/tree_builder.h"

namespace npf::load {

// One value after the other, to the end of the text, which must outlive the trees: strings without
// escapes are not copied. Marks are those of TextSource::Marks::kOffsets.
std::optional<TextFault> ReadJson(const std::string& text, TreeBuilder& builder);

}  // namespace npf::load

#endif  // NPF_LOAD_JSON_EVENTS_H_

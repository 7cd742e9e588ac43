// Documents that are no Kubernetes objects: files of npf's own, read as strictly as policies are.
//
//   load::ReadDocuments(text, "tests.yaml", file, diagnostics,
//                       [&](const TextSource& source, const ParsedObject& document) { ... });
//
// What reads a document takes it apart with Decoding and StrictMap (load/decode.h).
#ifndef NPF_LOAD_DOCUMENT_H_
#define NPF_LOAD_DOCUMENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "load/source.h"
#include "load/tree_builder.h"
#include "npf/diagnostics.h"

namespace npf::load {

// The tree lives until the visit ends.
using VisitDocument = std::function<void(const TextSource&, const ParsedObject&)>;

// Visits each document of a text that is not empty, in order. `name` tells YAML from JSON, `file`
// is Position::file. What stops the reading is an error in `diagnostics`.
void ReadDocuments(const std::string& text, std::string_view name, uint32_t file,
                   Diagnostics& diagnostics, const VisitDocument& visit);

}  // namespace npf::load

#endif  // NPF_LOAD_DOCUMENT_H_

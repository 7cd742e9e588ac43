// What the decoders of policies share.
#ifndef NPF_LOAD_DECODE_PARTS_H_
#define NPF_LOAD_DECODE_PARTS_H_

#include <cstddef>
#include <vector>

#include "load/decode.h"

namespace npf::load {

// A null item would be read as an empty one by the API server, and an empty rule allows everything:
// a dash that was left over must not widen a policy.
bool IsWrittenOut(Decoding& decoding, const Node& item, const Path& path);

// What every policy has beside its `spec`: apiVersion, kind, status, and all fields of ObjectMeta,
// those that only the server sets among them.
void TakeCommonFields(Decoding& decoding, StrictMap& object);

// Calls decode(decoding, item, path of the item) for every item.
template <class Element, class DecodeElement>
std::vector<Element> DecodeList(Decoding& decoding, const Node* node, const Path& path,
                                DecodeElement decode) {
  std::vector<Element> out;
  const Node* list = decoding.List(node, path);
  if (list == nullptr) return out;
  out.reserve(list->count);
  size_t i = 0;
  for (const Node* item = list->first; item != nullptr; item = item->next, ++i) {
    out.push_back(decode(decoding, *item, path.Item(i)));
  }
  return out;
}

}  // namespace npf::load

#endif  // NPF_LOAD_DECODE_PARTS_H_

// What the decoders share: the strict ones of policies, and those of what is read in part.
#ifndef NPF_LOAD_DECODE_PARTS_H_
#define NPF_LOAD_DECODE_PARTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/decode.h"

namespace npf::load {

// A null item would be read as an empty one by the API server, and an empty rule allows everything:
// a dash that was left over must not widen a policy.
bool IsWrittenOut(Decoding& decoding, const Node& item, const Path& path);

// What every policy has beside its `spec`: apiVersion, kind, status, and all fields of ObjectMeta,
// those that only the server sets among them.
void TakeCommonFields(Decoding& decoding, StrictMap& object);

// nullopt where absent, null, or reported to be neither.
std::optional<IntOrString> DecodePortNumberOrName(Decoding& decoding, const Node* node,
                                                  const Path& path);

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

// Reading what is there of a map, or of no map at all.
inline const Node* Member(const Node* map, std::string_view key) {
  return map == nullptr ? nullptr : FindMember(*map, key);
}

// The map at the end of `path`, which is in `map`.
inline const Node* MemberMap(Decoding& decoding, const Node* map, const Path& path) {
  return decoding.Map(Member(map, path.key), path);
}

// The text there; empty where there is none.
inline std::string Text(Decoding& decoding, const Node* map, const Path& path) {
  return decoding.String(Member(map, path.key), path).value_or("");
}

// Calls visit(item, path of the item) for every map of the list there.
template <class Visit>
void ForEachItem(Decoding& decoding, const Node* map, const Path& path, Visit visit) {
  const Node* list = decoding.List(Member(map, path.key), path);
  if (list == nullptr) return;
  size_t i = 0;
  for (const Node* item = list->first; item != nullptr; item = item->next, ++i) {
    const Path item_path = path.Item(i);
    if (const Node* fields = decoding.Map(item, item_path)) visit(*fields, item_path);
  }
}

}  // namespace npf::load

#endif  // NPF_LOAD_DECODE_PARTS_H_

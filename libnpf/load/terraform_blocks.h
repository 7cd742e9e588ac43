// Blocks of Terraform's kubernetes provider, and what they are in the Kubernetes API.
//
// The provider writes the API's objects in a form of its own: names_with_underscores, a list of one
// block where the API has a struct, text where it has a number or a name, and "", 0 or [] for what
// is not given. A table says for each type of resource what becomes of it; fields of other types
// than policies that npf has no use for are not in the table and are left out, those of policies
// are kept under Terraform's name, so that strict decoding refuses them.
#ifndef NPF_LOAD_TERRAFORM_BLOCKS_H_
#define NPF_LOAD_TERRAFORM_BLOCKS_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "load/node.h"

namespace npf::load {

enum class BlockShape : uint8_t {
  kText,
  kPort,    // text of a number, or a name
  kCount,   // text of a number
  kNumber,  // and truth
  kTexts,   // a list, or a set
  kTextMap,
  kBlock,  // at most one
  kBlocks,
  kIgnored,
};

struct BlockField {
  std::string_view name;      // Terraform's
  std::string_view api_name;  // the API's
  BlockShape shape = BlockShape::kIgnored;
  std::span<const BlockField> fields = {};  // of blocks
  // The server decides where the configuration does not: that it is not known yet is no fault.
  bool server_sets = false;
};

struct BlockType {
  std::string_view name;  // "kubernetes_network_policy", without _v1
  std::string_view api_version;
  std::string_view kind;
  std::span<const BlockField> fields;
  bool strict = false;
};

// nullptr where no table has this type of resource.
const BlockType* FindBlockType(std::string_view resource_type);

// The API's object of a resource's `values`, with kUnknown for what `unknown` marks (see
// MarkUnknown; may be nullptr).
Node* ObjectOfBlocks(Arena& arena, const BlockType& type, const Node& values, const Node* unknown);

}  // namespace npf::load

#endif  // NPF_LOAD_TERRAFORM_BLOCKS_H_

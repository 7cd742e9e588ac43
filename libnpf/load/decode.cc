#include "load/decode.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "load/yaml_scalar.h"
#include "model/nearest.h"
#include "model/validate.h"

namespace npf::load {
namespace {

constexpr std::string_view kLabelsField = "matchLabels";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

Mark MarkOfMember(const Node& node) {
  const bool block =
      node.kind == NodeKind::kMap || node.kind == NodeKind::kList || node.kind == NodeKind::kNull;
  return block && node.key_mark != 0 ? node.key_mark : node.mark;
}

// "ports[3]" of "ports[3].endPort": the next name or index of a field path.
std::string_view TakeSegment(std::string_view& field) {
  const size_t end = field.find_first_of(".[", 1);
  const std::string_view segment = field.substr(0, end);
  field = end == std::string_view::npos ? std::string_view() : field.substr(end);
  return segment;
}

}  // namespace

std::string Path::ToString() const {
  std::string out = parent == nullptr ? "" : parent->ToString();
  if (index >= 0) {
    absl::StrAppend(&out, "[", index, "]");
  } else if (!key.empty()) {
    absl::StrAppend(&out, out.empty() ? "" : ".", EscapeForMessage(key));
  }
  return out;
}

const Node* FieldFinder::ItemAt(const Node& list, std::string_view index_text, Finger& finger) {
  size_t index = 0;
  std::from_chars(index_text.data(), index_text.data() + index_text.size(), index);
  if (list.kind != NodeKind::kList) return nullptr;
  if (finger.list != &list || finger.index > index) finger = {.list = &list, .item = list.first};
  while (finger.index < index && finger.item != nullptr) {
    finger.item = finger.item->next;
    ++finger.index;
  }
  return finger.item;
}

Mark FieldFinder::Find(std::string_view field) {
  const Node* node = &root_;
  size_t lists = 0;
  while (!field.empty()) {
    std::string_view segment = TakeSegment(field);
    if (segment.starts_with('.')) segment.remove_prefix(1);
    if (node->key == kLabelsField && !segment.starts_with('[')) {  // labels have dots in their keys
      const std::string_view key(segment.data(), segment.size() + field.size());
      const Node* label = FindMember(*node, key);
      if (label != nullptr) node = label;
      break;
    }
    const Node* next = nullptr;
    if (segment.starts_with('[')) {
      next = ItemAt(*node, segment.substr(1), fingers_[std::min(lists++, kFingers - 1)]);
    } else {
      next = FindMember(*node, segment);
    }
    if (next == nullptr) break;
    node = next;
  }
  return MarkOfMember(*node);
}

std::string Decoding::ObjectName() const {
  const Node* metadata = FindMember(root_, "metadata");
  const auto text_of = [&](std::string_view key) -> std::string_view {
    const Node* node = metadata == nullptr ? nullptr : FindMember(*metadata, key);
    return node != nullptr && node->kind == NodeKind::kString ? node->text : std::string_view();
  };
  std::string_view name = text_of("name");
  if (name.empty()) name = text_of("generateName");
  std::string_view ns = text_of("namespace");
  if (ns.empty() && !name.empty()) ns = default_namespace_;
  return model::ObjectName(kind_, ns, name);
}

void Decoding::Error(Mark mark, std::string field, std::string_view type, std::string detail) {
  ++error_count_;
  out_.Add({options_.tolerant ? Severity::kWarning : Severity::kError, PositionOf(mark),
            ObjectName(), std::move(field), std::string(type), std::move(detail)});
}

void Decoding::Warning(Mark mark, std::string field, std::string detail) {
  out_.AddWarning(PositionOf(mark), ObjectName(), std::move(field), std::move(detail));
}

void Decoding::WrongType(const Path& path, const Node& node, std::string_view wanted) {
  ++wrong_type_count_;
  if (node.kind == NodeKind::kUnknown) {
    Error(node.mark, path.ToString(), "Invalid", kUnknownDetail);
    return;
  }
  std::string detail = absl::StrCat("must be ", View(wanted), " (found ", Describe(node), ")");
  const bool is_bare =
      node.kind == NodeKind::kBool || node.kind == NodeKind::kInt || node.kind == NodeKind::kFloat;
  if (wanted == "a string" && is_bare) detail += "; put it in quotes";
  Error(MarkOfMember(node), path.ToString(), "TypeInvalid", std::move(detail));
}

void Decoding::UnknownField(const Path& path, const Node& member,
                            const std::vector<std::string_view>& known) {
  std::string detail = options_.lenient ? "unknown field, not read" : "unknown field";
  const std::string_view nearest = model::NearestWord(member.key, known);
  if (!nearest.empty()) absl::StrAppend(&detail, "; did you mean \"", View(nearest), "\"?");
  std::string field = path.Member(member.key).ToString();
  if (options_.lenient) {
    Warning(member.key_mark, std::move(field), std::move(detail));
  } else {
    Error(member.key_mark, std::move(field), "", std::move(detail));
  }
}

void Decoding::Report(std::span<const Remark> remarks) {
  for (const Remark& remark : remarks) {
    if (options_.lenient && !remark.always_error) {
      Warning(remark.mark, remark.field, remark.detail + "; the last one counts");
    } else {
      Error(remark.mark, remark.field, remark.type, remark.detail);
    }
  }
}

const Node* Decoding::Map(const Node* node, const Path& path) {
  if (node == nullptr || node->kind == NodeKind::kNull) return nullptr;
  if (node->kind == NodeKind::kMap) return node;
  WrongType(path, *node, "a map");
  return nullptr;
}

const Node* Decoding::List(const Node* node, const Path& path) {
  if (node == nullptr || node->kind == NodeKind::kNull) return nullptr;
  if (node->kind == NodeKind::kList) return node;
  WrongType(path, *node, "a list");
  return nullptr;
}

std::optional<std::string> Decoding::String(const Node* node, const Path& path) {
  if (node == nullptr || node->kind == NodeKind::kNull) return std::nullopt;
  if (node->kind == NodeKind::kString) return std::string(node->text);
  WrongType(path, *node, "a string");
  return std::nullopt;
}

std::optional<bool> Decoding::Bool(const Node* node, const Path& path) {
  if (node == nullptr || node->kind == NodeKind::kNull) return std::nullopt;
  if (node->kind == NodeKind::kBool) return TruthOf(*node);
  WrongType(path, *node, "true or false");
  return std::nullopt;
}

std::optional<int64_t> Decoding::Integer(const Node* node, const Path& path) {
  if (node == nullptr || node->kind == NodeKind::kNull) return std::nullopt;
  const std::optional<WholeNumber> number =
      node->kind == NodeKind::kInt ? ParseWholeNumber(node->text) : std::nullopt;
  if (!number.has_value()) {
    WrongType(path, *node, "a whole number");
    return std::nullopt;
  }
  if (number->odd) {
    Warning(node->mark, path.ToString(),
            absl::StrCat(EscapeForMessage(node->text), " is read as the number ", number->value));
  }
  return number->value;
}

std::vector<std::string> Decoding::Strings(const Node* node, const Path& path) {
  std::vector<std::string> out;
  const Node* list = List(node, path);
  if (list == nullptr) return out;
  out.reserve(list->count);
  size_t i = 0;
  for (const Node* item = list->first; item != nullptr; item = item->next, ++i) {
    if (item->kind != NodeKind::kString) WrongType(path.Item(i), *item, "a string");
    out.emplace_back(item->text);
  }
  return out;
}

Labels Decoding::StringMap(const Node* node, const Path& path) {
  Labels out;
  const Node* map = Map(node, path);
  if (map == nullptr) return out;
  for (const Node* member = map->first; member != nullptr; member = member->next) {
    if (member->kind != NodeKind::kString) {
      WrongType(path.Member(member->key), *member, "a string");
      continue;
    }
    out.Set(std::string(member->key), std::string(member->text));
  }
  return out;
}

StrictMap::StrictMap(Decoding& decoding, const Node* node, const Path& path, Nulls nulls)
    : decoding_(decoding), node_(decoding.Map(node, path)), path_(path), nulls_(nulls) {}

StrictMap::~StrictMap() {
  if (node_ == nullptr) return;
  for (const Node* member = node_->first; member != nullptr; member = member->next) {
    if (std::find(known_.begin(), known_.end(), member->key) == known_.end()) {
      decoding_.UnknownField(path_, *member, known_);
    }
  }
}

const Node* StrictMap::Take(std::string_view key) {
  known_.push_back(key);
  const Node* member = node_ == nullptr ? nullptr : FindMember(*node_, key);
  if (member == nullptr || member->kind != NodeKind::kNull) return member;
  if (nulls_ == Nulls::kWarn) {
    decoding_.Warning(member->key_mark, path_.Member(key).ToString(),
                      "is null, which means the same as leaving it out");
  }
  return nullptr;
}

}  // namespace npf::load

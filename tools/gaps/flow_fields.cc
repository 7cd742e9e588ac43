#include "gaps/flow_fields.h"

#include <charconv>

#include "absl/time/time.h"

namespace npf::gaps {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

std::optional<uint64_t> ParseWhole(std::string_view text, uint64_t max) {
  uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = fault == std::errc() && end == text.data() + text.size();
  return whole && number <= max ? std::optional(number) : std::nullopt;
}

}  // namespace

const load::Node* Fields::Find(std::string_view name, std::string_view other) const {
  const load::Node* found = load::Member(node_, name);
  if (found == nullptr && !other.empty()) found = load::Member(node_, other);
  return found != nullptr && found->kind == load::NodeKind::kNull ? nullptr : found;
}

std::string_view Fields::Text(std::string_view name, std::string_view other) const {
  const load::Node* found = Find(name, other);
  return found == nullptr ? std::string_view() : found->text;
}

std::optional<uint64_t> Fields::Number(std::string_view name, std::string_view other,
                                       uint64_t max) const {
  const load::Node* found = Find(name, other);
  return found == nullptr ? std::optional<uint64_t>(0) : ParseWhole(found->text, max);
}

std::optional<uint64_t> Fields::TimeNs(std::string_view name, std::string_view other) const {
  const std::string_view text = Text(name, other);
  if (const auto seconds = ParseWhole(text, UINT64_MAX / kSecondNs / 2)) {
    return *seconds * kSecondNs;
  }
  return ParseTimeNs(text);
}

std::optional<uint64_t> ParseTimeNs(std::string_view text) {
  absl::Time time;
  const absl::string_view view(text.data(), text.size());
  if (!absl::ParseTime(absl::RFC3339_full, view, &time, nullptr)) return std::nullopt;
  const int64_t since = absl::ToUnixNanos(time);
  if (since < 0 || time > absl::FromUnixNanos(INT64_MAX)) return std::nullopt;
  return static_cast<uint64_t>(since);
}

}  // namespace npf::gaps

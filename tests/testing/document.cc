#include "testing/document.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace npf::testing {
namespace {

constexpr int kBlockDepth = 2;

std::string Quoted(const std::string& text) { return absl::StrCat("\"", text, "\""); }

}  // namespace

Document Document::Text(const std::string& text) {
  Document document(Kind::kScalar);
  document.scalar_ = Quoted(text);
  return document;
}

Document Document::Number(int64_t number) {
  Document document(Kind::kScalar);
  document.scalar_ = absl::StrCat(number);
  return document;
}

Document Document::True() {
  Document document(Kind::kScalar);
  document.scalar_ = "true";
  return document;
}

Document Document::Texts(const std::vector<std::string>& texts) {
  return ListOf(texts, [](const std::string& text) { return Text(text); });
}

Document& Document::Set(const std::string& key, Document value) {
  fields_.emplace_back(key, std::move(value));
  return *this;
}

Document& Document::SetText(const std::string& key, const std::string& text) {
  return Set(key, Text(text));
}

std::string Document::Flow(bool quote_keys) const {
  if (kind_ == Kind::kScalar) return scalar_;
  std::vector<std::string> parts;
  for (const auto& [key, value] : fields_) {
    // Label keys have dots and slashes, which need no quotes in YAML either.
    parts.push_back(absl::StrCat(quote_keys ? Quoted(key) : key, ": ", value.Flow(quote_keys)));
  }
  for (const Document& item : items_) parts.push_back(item.Flow(quote_keys));
  const std::string joined = absl::StrJoin(parts, ", ");
  return kind_ == Kind::kMap ? absl::StrCat("{", joined, "}") : absl::StrCat("[", joined, "]");
}

std::string Document::Json() const { return Flow(true); }

void Document::AppendBlock(int depth, std::string& text) const {
  const std::string indent(static_cast<size_t>(depth) * 2, ' ');
  for (const auto& [key, value] : fields_) {
    absl::StrAppend(&text, indent, key, ":");
    if (value.kind_ == Kind::kScalar || value.empty() || depth + 1 > kBlockDepth) {
      absl::StrAppend(&text, " ", value.Flow(false), "\n");
    } else {
      absl::StrAppend(&text, "\n");
      value.AppendBlock(depth + 1, text);
    }
  }
  for (const Document& item : items_) absl::StrAppend(&text, indent, "- ", item.Flow(false), "\n");
}

std::string Document::Yaml() const {
  std::string text;
  AppendBlock(0, text);
  return text;
}

}  // namespace npf::testing

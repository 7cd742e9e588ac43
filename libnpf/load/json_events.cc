#include "load/json_events.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <string_view>

namespace npf::load {
namespace {

// Where a token stands is told by the stream. RapidJSON calls Null and Bool after it has moved on,
// and the others before: it reads strings and numbers from a local copy of the stream, and its
// iterative parser takes a bracket after it was handled.
class Handler {
 public:
  Handler(std::string_view text, const rapidjson::StringStream& stream, TreeBuilder& builder)
      : text_(text), stream_(stream), builder_(builder) {}

  bool Null() { return builder_.Scalar(Before(4), NodeKind::kNull, "", /*stable=*/true); }
  bool Bool(bool value) {
    const std::string_view word = value ? "true" : "false";
    return builder_.Scalar(Before(word.size()), NodeKind::kBool, word, /*stable=*/true);
  }
  bool RawNumber(const char*, rapidjson::SizeType length, bool) {
    const std::string_view number = text_.substr(stream_.Tell(), length);
    const bool whole = number.find_first_of(".eE") == std::string_view::npos;
    return builder_.Scalar(stream_.Tell(), whole ? NodeKind::kInt : NodeKind::kFloat, number,
                           /*stable=*/true);
  }
  bool String(const char* decoded, rapidjson::SizeType length, bool) {
    const std::string_view value(decoded, length);
    return IsVerbatim(value)
               ? builder_.Scalar(stream_.Tell(), NodeKind::kString, Verbatim(length), true)
               : builder_.Scalar(stream_.Tell(), NodeKind::kString, value, false);
  }
  bool Key(const char* decoded, rapidjson::SizeType length, bool) {
    const std::string_view key(decoded, length);
    return IsVerbatim(key) ? builder_.Key(stream_.Tell(), Verbatim(length), true)
                           : builder_.Key(stream_.Tell(), key, false);
  }
  bool StartObject() { return builder_.StartMap(stream_.Tell()); }
  bool StartArray() { return builder_.StartList(stream_.Tell()); }
  bool EndObject(rapidjson::SizeType) { return builder_.EndMap(); }
  bool EndArray(rapidjson::SizeType) { return builder_.EndList(); }

  // Numbers come as text (RawNumber); the reader's interface wants these all the same.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  Mark Before(size_t token_length) const { return stream_.Tell() - token_length; }
  std::string_view Verbatim(size_t length) const {
    return text_.substr(stream_.Tell() + 1, length);
  }
  bool IsVerbatim(std::string_view value) const {
    const size_t closing = stream_.Tell() + 1 + value.size();
    return closing < text_.size() && text_[closing] == '"' && Verbatim(value.size()) == value;
  }

  std::string_view text_;
  const rapidjson::StringStream& stream_;
  TreeBuilder& builder_;
};

}  // namespace

std::optional<TextFault> ReadJson(const std::string& text, TreeBuilder& builder) {
  constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseStopWhenDoneFlag | rapidjson::kParseIterativeFlag;
  rapidjson::StringStream stream(text.c_str());
  Handler handler(text, stream, builder);
  rapidjson::Reader reader;
  for (;;) {
    rapidjson::SkipWhitespace(stream);
    if (stream.Peek() == '\0') return std::nullopt;
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
    if (builder.fault() != nullptr) return *builder.fault();
    if (result.IsError()) {
      return TextFault{
          result.Offset(), "",
          std::string("not valid JSON: ") + rapidjson::GetParseError_En(result.Code())};
    }
  }
}

}  // namespace npf::load

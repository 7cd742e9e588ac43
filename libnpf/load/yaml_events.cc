#include "load/yaml_events.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <istream>
#include <streambuf>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "load/yaml_scalar.h"

namespace npf::load {
namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

constexpr size_t kTakenMax = 4u << 20;

// Unwinds yaml-cpp, which has no other way to be stopped; never leaves this file.
struct StopReading {};

// Hands the text to yaml-cpp in pieces. Until a flow collection ends, yaml-cpp keeps a token of
// some hundred bytes for every few bytes of it, because all of it could be a key; so the text ends
// early, as far as yaml-cpp can see, where too much was taken since the last event.
class BoundedBuffer : public std::streambuf {
 public:
  explicit BoundedBuffer(std::string_view text) : rest_(text) {}

  void NoteEvent() { taken_ = open_brackets_ = 0; }
  bool ended_early() const { return ended_early_; }
  bool too_deep() const { return open_brackets_ > kOpenBracketsMax; }

 protected:
  int_type underflow() override {
    if (rest_.empty() || ended_early_) return traits_type::eof();
    if (taken_ > kTakenMax || too_deep()) {
      ended_early_ = true;
      return traits_type::eof();
    }
    const std::string_view piece = rest_.substr(0, kPiece);
    rest_.remove_prefix(piece.size());
    taken_ += piece.size();
    const auto count = [piece](char c) { return std::count(piece.begin(), piece.end(), c); };
    open_brackets_ += count('[') + count('{') - count(']') - count('}');
    char* begin = const_cast<char*>(piece.data());  // the get area is never written to
    setg(begin, begin, begin + piece.size());
    return traits_type::to_int_type(*begin);
  }

 private:
  static constexpr size_t kPiece = size_t{16} << 10;
  static constexpr ptrdiff_t kOpenBracketsMax = 10'000;

  std::string_view rest_;
  size_t taken_ = 0;
  ptrdiff_t open_brackets_ = 0;
  bool ended_early_ = false;
};

Mark MarkOf(const YAML::Mark& mark) {
  return TextSource::LineMark(static_cast<uint32_t>(mark.line + 1),
                              static_cast<uint32_t>(mark.column + 1));
}

std::string TagForMessage(const std::string& tag) {
  if (tag.starts_with(kCoreTag)) return "!!" + tag.substr(kCoreTag.size());
  return tag;
}

// yaml-cpp does not say which scalars are keys, so the handler keeps count itself.
class Handler : public YAML::EventHandler {
 public:
  Handler(BoundedBuffer& buffer, TreeBuilder& builder) : buffer_(buffer), builder_(builder) {}

  // yaml-cpp gives a stray ',' or bracket as an empty document, and goes nowhere: for ever.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == document_position_) {
      Stop(mark, "not valid YAML: nothing can begin with this character");
    }
    document_position_ = mark.pos;
    open_.clear();
  }
  void OnDocumentEnd() override {}

  Mark last_mark() const { return last_mark_; }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value(mark, anchor, NodeKind::kNull, "");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // "?" is yaml-cpp's word for an unquoted scalar without a tag, "!" for a quoted one.
    NodeKind kind = NodeKind::kString;
    if (tag == "?" || tag.empty()) {
      kind = PlainScalarKind(value);
    } else if (tag != "!") {
      CheckTag(mark, tag, "str");
    }
    Value(mark, anchor, kind, value);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    NoteEvent(mark);
    if (ignored_ > 0) return;
    if (ExpectsKey()) {
      const Node* target = builder_.FinishedAnchor(anchor);
      if (target == nullptr || target->kind != NodeKind::kString) {
        Stop(mark, "a key must be a string");
      }
      GiveKey(mark, target->text);
      return;
    }
    Check(builder_.Alias(MarkOf(mark), anchor));
    ValueDone();
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, /*is_map=*/false);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, /*is_map=*/true);
  }
  void OnSequenceEnd() override {
    if (!ClosesIgnored()) Close(builder_.EndList());
  }
  void OnMapEnd() override {
    if (!ClosesIgnored()) Close(builder_.EndMap());
  }

 private:
  struct Collection {
    bool is_map = false;
    bool expects_key = false;
  };

  void NoteEvent(const YAML::Mark& mark) {
    if (buffer_.ended_early()) throw StopReading();
    buffer_.NoteEvent();
    last_mark_ = MarkOf(mark);
  }
  bool ExpectsKey() const { return !open_.empty() && open_.back().expects_key; }
  void ValueDone() {
    if (!open_.empty()) open_.back().expects_key = open_.back().is_map;
  }
  static void Check(bool goes_on) {
    if (!goes_on) throw StopReading();
  }
  void Stop(const YAML::Mark& mark, std::string detail) {
    Check(builder_.Fail(MarkOf(mark), std::move(detail)));
  }

  void GiveKey(const YAML::Mark& mark, std::string_view key) {
    Check(builder_.Key(MarkOf(mark), key, /*stable=*/false));
    open_.back().expects_key = false;
  }

  void Value(const YAML::Mark& mark, YAML::anchor_t anchor, NodeKind kind,
             const std::string& text) {
    NoteEvent(mark);
    if (ignored_ > 0) return;
    if (anchor != 0) builder_.AnchorNext(anchor);
    if (!ExpectsKey()) {
      Check(builder_.Scalar(MarkOf(mark), kind, text, /*stable=*/false));
      ValueDone();
      return;
    }
    builder_.AnchorNext(0);
    GiveKey(mark, text);
    if (kind == NodeKind::kBool || kind == NodeKind::kNull) {
      builder_.AddRemark(
          MarkOf(mark), "TypeInvalid",
          absl::StrCat("a key must be a string (found ",
                       kind == NodeKind::kBool ? "a boolean" : "null", "); put it in quotes"),
          /*always_error=*/true);
    } else if (kind == NodeKind::kString && text == "<<") {
      builder_.AddRemark(MarkOf(mark), "Invalid",
                         "merge keys are not supported; write the members out",
                         /*always_error=*/true);
    }
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_map) {
    NoteEvent(mark);
    if (ignored_ > 0 || ExpectsKey()) {
      Ignore(mark);
      return;
    }
    if (tag != "?" && tag != "!" && !tag.empty()) CheckTag(mark, tag, is_map ? "map" : "seq");
    if (anchor != 0) builder_.AnchorNext(anchor);
    Check(is_map ? builder_.StartMap(MarkOf(mark)) : builder_.StartList(MarkOf(mark)));
    open_.push_back({is_map, is_map});
  }

  // A map or a list as a key. It is read to its end all the same: brackets that never close look
  // like keys to yaml-cpp, and what is wrong with those is that they nest too deep.
  void Ignore(const YAML::Mark& mark) {
    if (ignored_++ == 0) ignored_mark_ = mark;
    if (open_.size() + ignored_ > builder_.depth_max()) Check(builder_.FailAsTooDeep(MarkOf(mark)));
  }
  bool ClosesIgnored() {
    if (ignored_ == 0) return false;
    if (--ignored_ == 0) Stop(ignored_mark_, "a key must be a string (found a map or a list)");
    return true;
  }

  void Close(bool goes_on) {
    Check(goes_on);
    open_.pop_back();
    ValueDone();
  }

  // !!str, !!map and !!seq say what is there anyway; any other tag asks for something that a
  // Kubernetes object cannot hold.
  void CheckTag(const YAML::Mark& mark, const std::string& tag, std::string_view harmless) {
    if (tag.starts_with(kCoreTag) && tag.substr(kCoreTag.size()) == harmless) return;
    builder_.AddRemark(MarkOf(mark), "Invalid",
                       "the tag " + EscapeForMessage(TagForMessage(tag)) + " is not supported",
                       /*always_error=*/true);
  }

  BoundedBuffer& buffer_;
  TreeBuilder& builder_;
  Mark last_mark_ = TextSource::LineMark(1, 1);
  int document_position_ = -1;  // where the last document began
  std::vector<Collection> open_;
  size_t ignored_ = 0;  // collections open in a key
  YAML::Mark ignored_mark_;
};

}  // namespace

std::optional<TextFault> ReadYaml(std::string_view text, TreeBuilder& builder) {
  BoundedBuffer buffer(text);
  std::istream stream(&buffer);
  Handler handler(buffer, builder);
  std::optional<TextFault> fault;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(handler)) {
    }
  } catch (const StopReading&) {
    if (builder.fault() != nullptr) return *builder.fault();
  } catch (const YAML::Exception& exception) {
    fault =
        TextFault{MarkOf(exception.mark), "", "not valid YAML: " + EscapeForMessage(exception.msg)};
  }
  if (!buffer.ended_early()) return fault;
  if (buffer.too_deep()) {
    builder.FailAsTooDeep(handler.last_mark());
    return *builder.fault();
  }
  return TextFault{handler.last_mark(), "LimitExceeded",
                   absl::StrCat("a flow collection or a scalar of more than ", kTakenMax,
                                " bytes; JSON may be longer, in a file named *.json")};
}

}  // namespace npf::load

#include "gaps/json_stream.h"

#include <string_view>

#include "absl/status/status.h"

namespace npf::gaps {
namespace {

constexpr std::string_view kEvent = "data:";

bool IsSpace(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Where in a value a reader is.
class Nesting {
 public:
  // True: `c` is the last byte of a value in brackets.
  bool Ends(int c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      return false;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    if (c != '}' && c != ']') return false;
    if (depth_ > 0) --depth_;
    return depth_ == 0;
  }
  bool outside() const { return depth_ == 0; }

 private:
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace

absl::StatusOr<int> JsonStream::Peek() {
  if (at_ == buffer_.size()) {
    buffer_.resize(size_t{64} << 10);
    absl::StatusOr<size_t> count =
        source_->Read(reinterpret_cast<uint8_t*>(buffer_.data()), buffer_.size());
    if (!count.ok()) {
      buffer_.clear();
      at_ = 0;
      return count.status();
    }
    buffer_.resize(*count);
    at_ = 0;
    if (buffer_.empty()) return kEnd;
  }
  return static_cast<unsigned char>(buffer_[at_]);
}

absl::Status JsonStream::SkipToValue() {
  while (true) {
    const absl::StatusOr<int> c = Peek();
    if (!c.ok()) return c.status();
    if (!IsSpace(*c)) return absl::OkStatus();
    Take();
  }
}

absl::StatusOr<bool> JsonStream::Next(std::string& value, uint64_t& line) {
  value.clear();
  if (const absl::Status skipped = SkipToValue(); !skipped.ok()) return skipped;
  line = line_;
  Nesting nesting;
  while (true) {
    const absl::StatusOr<int> c = Peek();
    if (!c.ok()) return c.status();
    if (*c == kEnd) return !value.empty();
    // What is no object and no list ends with its line.
    if (*c == '\n' && nesting.outside()) return true;
    if (value.size() == value_bytes_max_) {
      return absl::ResourceExhaustedError("line " + std::to_string(line) +
                                          ": a value is longer than " +
                                          std::to_string(value_bytes_max_) + " bytes");
    }
    value += static_cast<char>(*c);
    Take();
    if (nesting.Ends(*c)) return true;
    if (value == kEvent) {
      value.clear();
      if (const absl::Status skipped = SkipToValue(); !skipped.ok()) return skipped;
      line = line_;
    }
  }
}

}  // namespace npf::gaps

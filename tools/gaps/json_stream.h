// The JSON values of a stream, one after the other, in constant memory: a value a line as logs have
// them, values over many lines as people print them, and events of a server (`data: {...}`).
//
// Where a value ends is found by its brackets, so that no more than one is held. None may be longer
// than kValueBytesMax: of a list of flows in one value that is some 60,000 of them.
#ifndef NPF_TOOLS_GAPS_JSON_STREAM_H_
#define NPF_TOOLS_GAPS_JSON_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "capture/source.h"

namespace npf::gaps {

class JsonStream {
 public:
  static constexpr size_t kValueBytesMax = size_t{64} << 20;

  explicit JsonStream(std::unique_ptr<capture::ByteSource> source,
                      size_t value_bytes_max = kValueBytesMax)
      : source_(std::move(source)), value_bytes_max_(value_bytes_max) {}

  // The text of the next value, which may not be JSON at all, and in `line` the line where it
  // begins, from 1; false at the end. Errors: kResourceExhausted where it is too long, or why the
  // stream cannot be read.
  absl::StatusOr<bool> Next(std::string& value, uint64_t& line);

 private:
  static constexpr int kEnd = -1;
  absl::StatusOr<int> Peek();
  void Take() { line_ += buffer_[at_++] == '\n' ? 1 : 0; }
  absl::Status SkipToValue();

  std::unique_ptr<capture::ByteSource> source_;
  size_t value_bytes_max_;
  std::string buffer_;
  size_t at_ = 0;
  uint64_t line_ = 1;
};

}  // namespace npf::gaps

#endif  // NPF_TOOLS_GAPS_JSON_STREAM_H_

// One input text and where its bytes stand, for messages.
#ifndef NPF_LOAD_SOURCE_H_
#define NPF_LOAD_SOURCE_H_

#include <cstdint>
#include <string_view>

#include "npf/model.h"

namespace npf::load {

// A place in a text, cheap to make while parsing: a byte offset in JSON, line and column in YAML.
using Mark = uint64_t;

class TextSource {
 public:
  enum class Marks : uint8_t { kOffsets, kLines };
  TextSource(std::string_view text, uint32_t file, Marks marks)
      : text_(text), file_(file), marks_(marks) {}

  static Mark LineMark(uint32_t line, uint32_t column) { return Mark{line} << 32 | column; }

  std::string_view text() const { return text_; }
  uint32_t file() const { return file_; }
  // Of positions that are asked for from now on: a plan names each of its resources as a file.
  void set_file(uint32_t file) { file_ = file; }
  // Offsets are turned into lines only when a message or an object asks. They come nearly in order,
  // so counting goes on from the last answer.
  Position PositionOf(Mark mark) const;

 private:
  Position PositionInLine(size_t offset) const;

  std::string_view text_;
  uint32_t file_;
  Marks marks_;
  mutable size_t counted_to_ = 0;  // always the first byte of a line
  mutable size_t line_end_ = 0;    // of the line that begins at counted_to_
  mutable uint32_t counted_line_ = 1;
};

}  // namespace npf::load

#endif  // NPF_LOAD_SOURCE_H_

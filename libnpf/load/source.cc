#include "load/source.h"

#include <algorithm>

namespace npf::load {

Position TextSource::PositionOf(Mark mark) const {
  if (marks_ == Marks::kLines) {
    return {file_, static_cast<uint32_t>(mark >> 32), static_cast<uint32_t>(mark)};
  }
  const size_t offset = std::min<size_t>(mark, text_.size());
  // Most questions are about the line asked last; in compact JSON it is the only one.
  if (offset >= counted_to_ && offset <= line_end_) return PositionInLine(offset);
  const size_t newline = offset == 0 ? std::string_view::npos : text_.rfind('\n', offset - 1);
  const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  line_end_ = std::min(text_.find('\n', line_start), text_.size());
  const auto lines_in = [&](size_t from, size_t to) {
    return static_cast<uint32_t>(std::count(text_.begin() + static_cast<ptrdiff_t>(from),
                                            text_.begin() + static_cast<ptrdiff_t>(to), '\n'));
  };
  if (line_start >= counted_to_) {
    counted_line_ += lines_in(counted_to_, line_start);
  } else {
    counted_line_ -= lines_in(line_start, counted_to_);
  }
  counted_to_ = line_start;
  return PositionInLine(offset);
}

Position TextSource::PositionInLine(size_t offset) const {
  return {file_, counted_line_, static_cast<uint32_t>(offset - counted_to_ + 1)};
}

}  // namespace npf::load

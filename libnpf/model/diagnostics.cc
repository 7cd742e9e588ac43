#include "npf/diagnostics.h"

namespace npf {
namespace {

// Bytes of the well-formed UTF-8 character at the start of `text`; 0 where it is not one.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t length = 0;
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xc2 && byte(0) <= 0xdf) length = 2;
  if (byte(0) >= 0xe0 && byte(0) <= 0xef) length = 3;
  if (byte(0) >= 0xf0 && byte(0) <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // U+0080 to U+009F are control characters too: some terminals obey them.
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return 0;
  return length;
}

void AppendEscaped(std::string& out, unsigned char byte) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (byte == '\n') {
    out += "\\n";
  } else if (byte == '\t') {
    out += "\\t";
  } else {
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

}  // namespace

void Diagnostics::Add(Diagnostic diagnostic) {
  ++(diagnostic.severity == Severity::kError ? error_count_ : warning_count_);
  if (all_.size() < kMax) {
    all_.push_back(std::move(diagnostic));
  } else {
    ++dropped_count_;
  }
}

void Diagnostics::AddError(Position position, std::string object, std::string field,
                           std::string type, std::string detail) {
  Add({Severity::kError, position, std::move(object), std::move(field), std::move(type),
       std::move(detail)});
}

void Diagnostics::AddWarning(Position position, std::string object, std::string field,
                             std::string detail) {
  Add({Severity::kWarning, position, std::move(object), std::move(field), "", std::move(detail)});
}

std::string EscapeForMessage(std::string_view text, size_t bytes_max) {
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    const size_t length = CharacterLength(text.substr(i));
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool printable = length > 1 || (length == 1 && byte >= 0x20 && byte != 0x7f);
    if (out.size() + (printable ? length : 4) > bytes_max) return out + "...";
    if (printable) {
      out += text.substr(i, length);
      i += length;
    } else {
      AppendEscaped(out, byte);
      ++i;
    }
  }
  return out;
}

std::string Format(const Diagnostic& diagnostic, std::span<const std::string> files) {
  std::string out;
  const Position& position = diagnostic.position;
  if (position.file != 0 && position.file < files.size()) {
    out += EscapeForMessage(files[position.file], kFileNameBytesMax);
    out += ':';
    if (position.line != 0) {
      out += std::to_string(position.line) + ":" + std::to_string(position.column) + ":";
    }
    out += ' ';
  }
  if (diagnostic.severity == Severity::kWarning) out += "warning: ";
  if (!diagnostic.object.empty()) out += diagnostic.object + ": ";
  if (!diagnostic.field.empty()) out += diagnostic.field + ": ";
  return out + diagnostic.detail;
}

}  // namespace npf

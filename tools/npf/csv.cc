#include "npf/csv.h"

#include <unistd.h>
#include <zlib.h>

namespace npf::tools {

std::unique_ptr<CsvReader> CsvReader::Open(const std::string& path) {
  const gzFile stream = path == "-" ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path.c_str(), "rb");
  if (stream == nullptr) return nullptr;
  return std::unique_ptr<CsvReader>(new CsvReader(stream));
}

CsvReader::~CsvReader() { gzclose(static_cast<gzFile>(stream_)); }

int CsvReader::Peek() {
  if (at_ == buffer_.size()) {
    if (failed_) return -1;
    buffer_.resize(size_t{64} << 10);
    const int count =
        gzread(static_cast<gzFile>(stream_), buffer_.data(), static_cast<unsigned>(buffer_.size()));
    int fault = Z_OK;
    const char* text = gzerror(static_cast<gzFile>(stream_), &fault);
    if (count < 0 || (fault != Z_OK && fault != Z_STREAM_END)) {
      failed_ = true;
      error_ = text;
    }
    buffer_.resize(count > 0 ? static_cast<size_t>(count) : 0);
    at_ = 0;
    if (buffer_.empty()) return -1;
  }
  return static_cast<unsigned char>(buffer_[at_]);
}

int CsvReader::Get() {
  const int c = Peek();
  if (c >= 0) ++at_;
  if (c == '\n') ++line_;
  return c;
}

void CsvReader::SkipLine() {
  for (int c = Get(); c >= 0 && c != '\n'; c = Get()) {
  }
}

CsvReader::Outcome CsvReader::Next(std::vector<std::string>& fields) {
  fields.clear();
  columns_.clear();
  while (Peek() == '\n' || Peek() == '\r') Get();
  record_line_ = line_;
  if (Peek() < 0) return failed_ ? Outcome::kBroken : Outcome::kEnd;

  const auto bad = [this](std::string what) {
    error_ = std::move(what);
    return Outcome::kBadRecord;
  };
  size_t bytes = 0;
  columns_.push_back(1);
  std::string field;
  bool quoted = false;        // inside quotes
  bool after_quotes = false;  // behind the closing quote: only a comma or the end may follow
  while (true) {
    const int c = Get();
    if (++bytes > kRecordBytesMax) {
      SkipLine();
      return bad("a record is longer than " + std::to_string(kRecordBytesMax) + " bytes");
    }
    if (c < 0 && failed_) return Outcome::kBroken;
    if (quoted) {
      if (c < 0) return bad("a quoted field does not end");
      if (c != '"') {
        field += static_cast<char>(c);
      } else if (Peek() == '"') {
        field += static_cast<char>(Get());
        ++bytes;
      } else {
        quoted = false;
        after_quotes = true;
      }
      continue;
    }
    if (c == '\r' && (Peek() == '\n' || Peek() < 0)) continue;
    if (c < 0 || c == '\n' || c == ',') {
      fields.push_back(std::move(field));
      field.clear();
      after_quotes = false;
      if (c != ',') return Outcome::kRecord;
      columns_.push_back(static_cast<uint32_t>(bytes) + 1);
    } else if (c == '"' && field.empty() && !after_quotes) {
      quoted = true;
    } else if (c == '"' || after_quotes) {
      SkipLine();
      return bad("a quote stands inside a field");
    } else {
      field += static_cast<char>(c);
    }
  }
}

void AppendCsvField(std::string_view field, std::string& out) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace npf::tools

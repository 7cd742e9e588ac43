// CSV as RFC 4180 has it, streamed: records of fields that may be quoted, with line ends and commas
// inside the quotes. Reads .gz as it is.
#ifndef NPF_TOOLS_NPF_CSV_H_
#define NPF_TOOLS_NPF_CSV_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace npf::tools {

class CsvReader {
 public:
  static constexpr size_t kRecordBytesMax = size_t{1} << 20;

  enum class Outcome : uint8_t { kRecord, kEnd, kBadRecord, kBroken };

  // `path` "-" is standard input. Null with errno set where it cannot be opened.
  static std::unique_ptr<CsvReader> Open(const std::string& path);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // The next record that is not an empty line. kBadRecord: `error()` says what is wrong, and the
  // next call goes on behind it; kBroken: the rest cannot be read.
  Outcome Next(std::vector<std::string>& fields);
  uint64_t line() const { return record_line_; }  // where the last record began, from 1
  // Where each of its fields began: bytes from the record's beginning, from 1.
  const std::vector<uint32_t>& columns() const { return columns_; }
  const std::string& error() const { return error_; }

 private:
  explicit CsvReader(void* stream) : stream_(stream) {}
  int Get();  // next byte, -1 at the end or where reading failed
  int Peek();
  void SkipLine();

  void* stream_;  // gzFile
  std::vector<char> buffer_;
  size_t at_ = 0;
  uint64_t line_ = 1;
  uint64_t record_line_ = 0;
  std::vector<uint32_t> columns_;
  std::string error_;
  bool failed_ = false;
};

// `field`, quoted where it must be.
void AppendCsvField(std::string_view field, std::string& out);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_CSV_H_

#include "npf/domains.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "npf/csv.h"

namespace npf::tools {
namespace {

constexpr size_t kRecordsMax = 1'000'000;
constexpr std::array<std::string_view, 3> kColumns = {"name", "address", "expires"};
enum Column : size_t { kName, kAddress, kExpires };

class DomainsReader {
 public:
  DomainsReader(uint32_t file, SnapshotBuilder& builder, Diagnostics& diagnostics)
      : file_(file), builder_(builder), diagnostics_(diagnostics) {}

  // Returns how many records there were.
  size_t Run(CsvReader& reader) {
    std::vector<std::string> fields;
    CsvReader::Outcome outcome;
    while ((outcome = reader.Next(fields)) != CsvReader::Outcome::kEnd) {
      line_ = static_cast<uint32_t>(reader.line());
      if (outcome != CsvReader::Outcome::kRecord) {
        Error(1, "Invalid", reader.error());
        if (outcome == CsvReader::Outcome::kBroken) return records_;
      } else if (!has_header_) {
        if (!ReadHeader(fields, reader.columns())) return records_;
      } else if (records_ == kRecordsMax) {
        Error(1, "LimitExceeded", "more than 1000000 resolved names");
        return records_;
      } else {
        ++records_;
        ReadRecord(fields, reader.columns());
      }
    }
    if (!has_header_) Error(1, "Required", "no header; the columns name and address are needed");
    return records_;
  }

 private:
  void Error(uint32_t column, std::string type, std::string detail) {
    diagnostics_.AddError({file_, line_, column}, "", "", std::move(type), std::move(detail));
  }

  // False where no record can be read by it.
  bool ReadHeader(std::vector<std::string>& header, const std::vector<uint32_t>& columns) {
    has_header_ = true;
    width_ = header.size();
    if (header[0].starts_with("\xef\xbb\xbf")) header[0].erase(0, 3);
    const size_t errors = diagnostics_.error_count();
    for (size_t i = 0; i < width_; ++i) {
      const auto known = std::find(kColumns.begin(), kColumns.end(), header[i]);
      if (known == kColumns.end()) {
        diagnostics_.AddWarning({file_, line_, columns[i]}, "", "",
                                "the column " + EscapeForMessage(header[i]) +
                                    " is not read; name, address and expires are");
        continue;
      }
      std::optional<size_t>& place = places_[static_cast<size_t>(known - kColumns.begin())];
      if (place) {
        Error(columns[i], "Duplicate", "the column " + header[i] + " stands twice in the header");
      }
      place = i;
    }
    for (const size_t needed : {kName, kAddress}) {
      if (places_[needed]) continue;
      Error(1, "Required",
            "no column " + std::string(kColumns[needed]) +
                " in the header; name and address are needed");
    }
    return diagnostics_.error_count() == errors;
  }

  void ReadRecord(const std::vector<std::string>& fields, const std::vector<uint32_t>& columns) {
    if (fields.size() != width_) {
      Error(1, "Invalid",
            std::to_string(fields.size()) + " fields; the header has " + std::to_string(width_));
      return;
    }
    ResolvedName name{.name = fields[*places_[kName]],
                      .address = fields[*places_[kAddress]],
                      .expires_s = 0,
                      .position = {file_, line_, 1}};
    if (places_[kExpires] && !fields[*places_[kExpires]].empty()) {
      const std::string& text = fields[*places_[kExpires]];
      const std::optional<int64_t> expires = ParseTime(text);
      if (!expires) {
        diagnostics_.AddError({file_, line_, columns[*places_[kExpires]]},
                              "name " + EscapeForMessage(name.name), "expires", "Invalid",
                              "must be a time, as 2027-01-01T00:00:00Z or 1798761600 (found \"" +
                                  EscapeForMessage(text) + "\")");
        return;
      }
      name.expires_s = *expires;
    }
    const auto locate = [&](std::string_view field) -> Position {
      const auto known = std::find(kColumns.begin(), kColumns.end(), field);
      if (known == kColumns.end()) return {file_, line_, 1};
      return {file_, line_, columns[*places_[static_cast<size_t>(known - kColumns.begin())]]};
    };
    builder_.Add(std::move(name), locate, diagnostics_);
  }

  uint32_t file_;
  SnapshotBuilder& builder_;
  Diagnostics& diagnostics_;
  std::array<std::optional<size_t>, kColumns.size()> places_;  // in a record, of each column
  bool has_header_ = false;
  size_t width_ = 0;
  size_t records_ = 0;
  uint32_t line_ = 1;
};

}  // namespace

void LoadDomains(const std::string& path, SnapshotBuilder& builder, Diagnostics& diagnostics,
                 LoadReport& report) {
  const uint32_t file = builder.AddFile(path == "-" ? "(standard input)" : path);
  const std::unique_ptr<CsvReader> reader = CsvReader::Open(path);
  if (reader == nullptr) {
    diagnostics.AddError({file, 0, 0}, "", "", "Unreadable",
                         std::string("cannot open: ") + std::strerror(errno));
    return;
  }
  report.used["ResolvedName"] += DomainsReader(file, builder, diagnostics).Run(*reader);
}

std::optional<int64_t> ParseTime(std::string_view text) {
  // Abseil also knows "infinite-future" and passes over space; a time has neither.
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  if (!is_digit(text.back()) && text.back() != 'Z') return std::nullopt;
  const absl::string_view view(text.data(), text.size());
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(view, &seconds)) {
    absl::Time time;
    if (!absl::ParseTime(absl::RFC3339_full, view, &time, nullptr)) return std::nullopt;
    seconds = absl::ToUnixSeconds(time);
  }
  if (seconds <= 0) return std::nullopt;
  return seconds;
}

}  // namespace npf::tools

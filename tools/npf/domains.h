// The table of resolved names that `domainNames` peers are judged by: a CSV file with a header,
//
//   name,address,expires
//   api.example.com,203.0.113.10,2027-01-01T00:00:00Z
//
// where `expires` may be empty or missing (never), a time as RFC 3339 has it, or Unix seconds.
#ifndef NPF_TOOLS_NPF_DOMAINS_H_
#define NPF_TOOLS_NPF_DOMAINS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "npf/diagnostics.h"
#include "npf/load.h"
#include "npf/snapshot.h"

namespace npf::tools {

// Adds every record of the file ("-": standard input) and counts it as a "ResolvedName" that was
// used; what is wrong is told to `diagnostics` with line and column.
void LoadDomains(const std::string& path, SnapshotBuilder& builder, Diagnostics& diagnostics,
                 LoadReport& report);

// "2027-01-01T00:00:00Z" or "1798761600", in Unix seconds; nullopt where it is neither.
std::optional<int64_t> ParseTime(std::string_view text);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_DOMAINS_H_

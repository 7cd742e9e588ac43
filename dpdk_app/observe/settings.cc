#include "observe/settings.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "npf/diagnostics.h"
#include "npf/settings.h"

namespace npf::observe {
namespace {

// Longer names are compared by their beginning.
constexpr size_t kNameBytesMax = 64;

// How many letters to insert, leave out or replace.
size_t Distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kNameBytesMax);
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view ClosestName(std::string_view name, std::span<const std::string> known) {
  std::string_view closest;
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    closest = candidate;
  }
  return closest;
}

absl::StatusOr<std::vector<SettingArgument>> ReadSettings(const std::string& path,
                                                          std::span<const std::string> known) {
  absl::StatusOr<std::vector<Setting>> settings = ReadSettingsFile(path);
  if (!settings.ok()) return settings.status();
  std::vector<SettingArgument> out;
  std::vector<std::string> errors;
  for (Setting& setting : *settings) {
    const std::string where = absl::StrCat(path, ":", setting.line);
    if (std::find(known.begin(), known.end(), setting.name) != known.end()) {
      out.push_back({"--" + setting.name, std::move(setting.value), where});
      continue;
    }
    const std::string_view closest = ClosestName(setting.name, known);
    errors.push_back(
        absl::StrCat(where, ": no setting is called \"", EscapeForMessage(setting.name), "\"",
                     closest.empty() ? std::string()
                                     : absl::StrCat("; did you mean ", std::string(closest), "?")));
  }
  if (!errors.empty()) return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  return out;
}

}  // namespace npf::observe

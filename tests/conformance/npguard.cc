#include "conformance/npguard.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing::npguard {
namespace {

constexpr char kExternal[] = "[External]";
const std::vector<std::string> kProtocols = {"TCP", "UDP", "SCTP"};

// "All Connections" or "TCP 80,443-444,UDP 53".
Connections ReadConnections(const std::string& text) {
  Connections connections;
  if (text == "All Connections") {
    for (const std::string& protocol : kProtocols) connections[protocol] = {{0, 65535}};
    return connections;
  }
  std::string protocol;
  const std::vector<std::string> items = absl::StrSplit(text, ',');
  for (std::string item : items) {
    if (const size_t space = item.find(' '); space != std::string::npos) {
      protocol = item.substr(0, space);
      item = item.substr(space + 1);
    }
    const std::pair<std::string, std::string> ends = absl::StrSplit(item, '-');
    const int first = std::atoi(ends.first.c_str());
    connections[protocol].emplace_back(
        first, ends.second.empty() ? first : std::atoi(ends.second.c_str()));
  }
  return connections;
}

End ReadEnd(const std::string& text) {
  if (!text.ends_with(kExternal)) return {text, {}, {}};
  const std::string range = text.substr(0, text.size() - std::strlen(kExternal));
  const std::pair<std::string, std::string> ends = absl::StrSplit(range, '-');
  return {"", Address(ends.first), Address(ends.second)};
}

// Golden lists lie beside the objects.
std::vector<std::filesystem::path> ObjectFiles(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool is_list = name.starts_with("EXPECTED") || name == "connlist_output.json";
    if (entry.is_regular_file() && !is_list) files.push_back(entry.path());
  }
  return files;
}

size_t IndentOf(const std::string& line) { return line.find_first_not_of(' '); }

// The selectors that a block `pods:` lacks; the block's lines begin at `first`.
std::string MissingSelectors(const std::vector<std::string>& lines, size_t first) {
  const size_t indent = IndentOf(lines[first]);
  std::set<std::string> found;
  for (size_t i = first; i < lines.size() && IndentOf(lines[i]) >= indent; ++i) {
    if (IndentOf(lines[i]) != indent) continue;
    found.insert(lines[i].substr(indent, lines[i].find(':') - indent));
  }
  std::string missing;
  for (const char* selector : {"namespaceSelector", "podSelector"}) {
    if (found.contains(selector)) continue;
    absl::StrAppend(&missing, std::string(indent, ' '), selector, ": {}\n");
  }
  return missing;
}

// What the API server refuses and np-guard does not look at: a name, and a selector left out of the
// `pods` of a cluster-wide policy.
std::string Corrected(const std::string& text) {
  std::string corrected;
  const std::vector<std::string> lines = absl::StrSplit(
      absl::StrReplaceAll(text, {{"use_match_exp_with_all_gap_values_of_app", "renamed"}}), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&corrected, lines[i], i + 1 < lines.size() ? "\n" : "");
    const std::string line = lines[i].substr(0, lines[i].find(" #"));
    if (!line.ends_with("pods:") || i + 1 == lines.size()) continue;
    const size_t indent = IndentOf(lines[i + 1]);
    if (indent == std::string::npos || indent <= line.size() - std::strlen("pods:")) continue;
    corrected += MissingSelectors(lines, i + 1);
  }
  return corrected;
}

constexpr char kDirectories[] = "policies/np-guard__netpol-analyzer";

}  // namespace

std::vector<Line> ReadGolden(const std::string& text) {
  std::vector<Line> golden;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (const std::string& line : lines) {
    const size_t arrow = line.find(" => ");
    const size_t colon = line.find(" : ");
    if (arrow == std::string::npos || colon == std::string::npos || line.front() == '{') continue;
    golden.push_back({ReadEnd(line.substr(0, arrow)),
                      ReadEnd(line.substr(arrow + 4, colon - arrow - 4)),
                      ReadConnections(line.substr(colon + 3))});
  }
  return golden;
}

std::string WorkloadOf(const Pod& pod) {
  const auto name = [&](const std::string& kind, const std::string& owner) {
    return absl::StrCat(pod.ns, "/", owner, "[", kind, "]");
  };
  if (!pod.owner_kind.empty()) return name(pod.owner_kind, pod.name);
  if (const size_t slash = pod.controller.find('/'); slash != std::string::npos) {
    const std::string kind = slash == 0 ? "Pod" : pod.controller.substr(0, slash);
    return name(kind, pod.controller.substr(slash + 1));
  }
  return name("Pod", pod.name);
}

absl::StatusOr<Snapshot> LoadObjects(const std::filesystem::path& directory) {
  const std::vector<std::filesystem::path> files = ObjectFiles(directory);
  std::string text;
  for (const auto& file : files) {
    if (file.extension() == ".yaml") absl::StrAppend(&text, ReadFile(file), "\n---\n");
  }
  text = absl::StrReplaceAll(text, {{"\r", ""}});
  const std::string corrected = Corrected(text);
  if (corrected == text) return LoadSnapshot(files);
  EXPECT_FALSE(LoadSnapshot(files).ok());
  return LoadSnapshotText(corrected, "corrected");
}

std::filesystem::path PathOf(const std::filesystem::path& shared, const std::string& directory) {
  return shared / kDirectories / directory;
}

std::vector<std::string> GoldenDirectories(const std::filesystem::path& shared) {
  std::vector<std::string> directories;
  const std::vector<std::string> index =
      absl::StrSplit(ReadFile(shared / "policies/NPGUARD.tsv"), '\n');
  for (const std::string& line : index) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells.size() < 3 || cells[1] != "yes") continue;
    if (cells[2] != "NetworkPolicy" && cells[2] != "cluster tiers") continue;
    directories.push_back(cells[0]);
  }
  return directories;
}

}  // namespace npf::testing::npguard

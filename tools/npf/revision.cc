#include "npf/revision.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "npf/child.h"
#include "npf/diagnostics.h"

namespace npf::tools {
namespace {

using load::FileFault;

constexpr size_t kListingBytesMax = size_t{64} << 20;

size_t FindColon(std::string_view path) {
  size_t braces = 0;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '{') ++braces;
    if (path[i] == '}' && braces > 0) --braces;
    if (path[i] == ':' && braces == 0) return i;
  }
  return std::string_view::npos;
}

FileFault RunGit(const std::vector<std::string>& arguments, std::string_view input,
                 size_t bytes_max, std::string& out) {
  std::vector<std::string> all{"git"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  absl::StatusOr<ChildOutput> output = RunChild(all, input, bytes_max);
  if (!output.ok()) {
    const bool too_long = output.status().code() == absl::StatusCode::kResourceExhausted;
    return {too_long ? "LimitExceeded" : "Unreadable", std::string(output.status().message())};
  }
  if (output->exit_status != 0) {
    return {"Unreadable", "git: " + EscapeForMessage(output->error)};
  }
  out = std::move(output->out);
  return {};
}

struct GitObject {
  std::string id;
  std::string type;
  size_t size = 0;
};

// "ID TYPE SIZE"; nothing for "NAME missing" and its like.
std::optional<GitObject> ParseObject(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  GitObject object{std::string(line.substr(0, first)),
                   std::string(line.substr(first + 1, second - first - 1))};
  const bool is_id = object.id.size() >= 40 &&
                     object.id.find_first_not_of("0123456789abcdef") == std::string::npos;
  const std::string_view digits = line.substr(second + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), object.size);
  const bool is_size = error == std::errc() && end == digits.data() + digits.size();
  return is_id && is_size ? std::optional(std::move(object)) : std::nullopt;
}

// Takes the next line off `rest`.
std::string_view TakeLine(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// What REV:PATH is.
FileFault Resolve(const std::string& path, GitObject& out) {
  const std::string revision = path.substr(0, FindColon(path));
  std::string answer;
  FileFault fault = RunGit({"cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"},
                           revision + "^{tree}\n" + path + "\n", kListingBytesMax, answer);
  if (!fault.ok()) return fault;
  std::string_view rest = answer;
  if (!ParseObject(TakeLine(rest)).has_value()) {
    return {"Unreadable", "git knows no revision \"" + EscapeForMessage(revision) + "\""};
  }
  std::optional<GitObject> object = ParseObject(TakeLine(rest));
  if (!object.has_value()) {
    return {"Unreadable",
            "there is no such path in this revision; it is looked for from the "
            "root of the repository, or begins with ./"};
  }
  out = *std::move(object);
  return {};
}

struct Entry {
  std::string id;
  std::string path;
};

// "MODE TYPE ID\tPATH" of a listing, where it is to be read.
FileFault TakeEntry(std::string_view record, RevisionFiles& out, std::vector<Entry>& entries) {
  const size_t tab = record.find('\t');
  const size_t type = record.find(' ');
  const size_t id = type == std::string_view::npos ? type : record.find(' ', type + 1);
  if (tab == std::string_view::npos || id >= tab) return {"Unreadable", "git lists no tree"};
  std::string path(record.substr(tab + 1));
  const std::string_view mode = record.substr(0, type);
  if (mode == "160000") out.modules.push_back(std::move(path));
  if (mode == "160000" || !IsObjectPath(path)) return {};
  if (mode == "120000") {
    return {"", EscapeForMessage(path, kFileNameBytesMax) +
                    " is a symbolic link, which is not followed in a revision"};
  }
  entries.push_back({std::string(record.substr(id + 1, tab - id - 1)), std::move(path)});
  return {};
}

FileFault List(const GitObject& tree, RevisionFiles& out, std::vector<Entry>& entries) {
  std::string listing;
  FileFault fault =
      RunGit({"ls-tree", "-r", "-z", "--full-tree", tree.id}, "", kListingBytesMax, listing);
  for (std::string_view rest = listing; fault.ok() && !rest.empty();) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    fault = TakeEntry(rest.substr(0, end), out, entries);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.path < b.path; });
  return fault;
}

FileFault ReadEntries(const std::vector<Entry>& entries, const std::string& prefix,
                      size_t bytes_max, std::vector<NamedText>& files) {
  std::string ids;
  for (const Entry& entry : entries) absl::StrAppend(&ids, entry.id, "\n");
  std::string answer;
  const size_t heads = entries.size() * 128;
  FileFault fault = RunGit({"cat-file", "--batch"}, ids, bytes_max + heads, answer);
  if (!fault.ok()) return fault;
  std::string_view rest = answer;
  for (const Entry& entry : entries) {
    const std::optional<GitObject> object = ParseObject(TakeLine(rest));
    if (!object.has_value() || object->type != "blob" || object->size >= rest.size()) {
      return {"Unreadable", "git does not have " + EscapeForMessage(entry.path, kFileNameBytesMax)};
    }
    files.push_back({prefix + entry.path, std::string(rest.substr(0, object->size))});
    rest.remove_prefix(object->size + 1);
  }
  return {};
}

}  // namespace

bool IsRevisionPath(std::string_view path) { return FindColon(path) != std::string_view::npos; }

FileFault ReadRevision(const std::string& path, size_t bytes_max, RevisionFiles& out) {
  const size_t colon = FindColon(path);
  if (colon == 0 || colon == std::string::npos || path[0] == '-') {
    return {"", "is no revision of git; as main:deploy/"};
  }
  if (path.find('\n') != std::string::npos || path.find('\0') != std::string::npos) {
    return {"", "a path of a revision may have no line feed"};
  }
  GitObject object;
  FileFault fault = Resolve(path, object);
  if (!fault.ok()) return fault;
  std::vector<Entry> entries;
  std::string prefix = path;
  if (object.type == "tree") {
    out.is_directory = true;
    if (!prefix.ends_with('/') && !prefix.ends_with(':')) prefix += '/';
    fault = List(object, out, entries);
  } else if (object.type == "blob") {
    entries.push_back({object.id, ""});
  } else {
    return {"", "is neither a file nor a directory in this revision"};
  }
  return fault.ok() ? ReadEntries(entries, prefix, bytes_max, out.files) : fault;
}

}  // namespace npf::tools

// Files as a Git revision has them: REV:PATH, in git's own spelling.
//
// git is a child process and does what git does: PATH is from the root of the repository, or from
// the present directory where it begins with "./"; REV is whatever names a commit or a tree. What
// the user gives goes to git's standard input, never among its arguments, so none of it can be
// taken for an option. Nothing is checked out and no filter runs.
#ifndef NPF_TOOLS_NPF_REVISION_H_
#define NPF_TOOLS_NPF_REVISION_H_

#include <string>
#include <string_view>
#include <vector>

#include "load/files.h"
#include "npf/load.h"

namespace npf::tools {

// Whether a path is REV:PATH. A colon within braces, as in main@{12:00}, does not count.
bool IsRevisionPath(std::string_view path);

struct RevisionFiles {
  bool is_directory = false;
  std::vector<NamedText> files;      // sorted; called as messages name them: "main:deploy/a.yaml"
  std::vector<std::string> modules;  // submodules, which are not read
};

// Of a directory, those files that would be read from one. A symbolic link among them is a fault:
// it would have to be followed to somewhere. Together they may have `bytes_max`.
load::FileFault ReadRevision(const std::string& path, size_t bytes_max, RevisionFiles& out);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_REVISION_H_

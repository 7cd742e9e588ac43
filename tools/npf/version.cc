// `npf version`: the numbers that a bug report needs.
#include "npf/version.h"

#include <memory>
#include <string>
#include <vector>

#include "npf/classify.h"
#include "npf/command_line.h"
#include "npf/commit.h"
#include "npf/exit_status.h"
#include "npf/output.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

std::vector<std::string> ProcessorSets() {
  std::vector<std::string> sets;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2") != 0) sets.emplace_back("sse4.2");
  if (__builtin_cpu_supports("avx2") != 0) sets.emplace_back("avx2");
  if (__builtin_cpu_supports("avx512f") != 0) sets.emplace_back("avx512f");
#endif
  return sets;
}

int RunVersion(const std::string& output) {
  const std::string kernel(Name(ActiveKernel()));
  std::string listed;
  std::string json;
  for (const std::string& set : ProcessorSets()) {
    listed += (listed.empty() ? "" : " ") + set;
    json += (json.empty() ? "" : ",") + JsonString(set);
  }
  const std::string version(kLibraryVersion);
  if (output == "json") {
    WriteOut("{\"version\":" + JsonString(version) + ",\"commit\":" + JsonString(kCommit) +
             ",\"image_format\":" + std::to_string(kImageFormatVersion) + ",\"semantics\":" +
             std::to_string(kSemanticsVersion) + ",\"c_abi\":" + std::to_string(kCAbiVersion) +
             ",\"kernel\":" + JsonString(kernel) + ",\"processor\":[" + json + "]}\n");
    return kExitDone;
  }
  WriteOut("npf           " + version + "\ncommit        " + std::string(kCommit) +
           "\nimage format  " + std::to_string(kImageFormatVersion) + "\nsemantics     " +
           std::to_string(kSemanticsVersion) + "\nC ABI         " + std::to_string(kCAbiVersion) +
           "\nkernel        " + kernel + "\nprocessor     " + (listed.empty() ? "-" : listed) +
           "\n");
  return kExitDone;
}

}  // namespace

void AddVersionVerb(CommandLine& line) {
  Verb verb =
      line.AddVerb("version", "version, commit, image format, semantics, instruction sets in use");
  auto output = std::make_shared<std::string>("table");
  verb.AddChoice("-o,--output", *output, {"table", "json"}, "table or json");
  verb.SetFooter("Example:\n  npf version -o json");
  verb.OnRun([output] { return RunVersion(*output); });
}

}  // namespace npf::tools

#include "npf/verbs.h"

namespace npf::tools {

void AddLiveVerbs(CommandLine& line) {
  AddStatusVerb(line);
  AddLoadVerb(line);
  AddWaitVerb(line);
  AddWatchVerb(line);
}

}  // namespace npf::tools

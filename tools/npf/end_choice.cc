#include "npf/end_choice.h"

#include <utility>

#include "npf/command_line.h"
#include "npf/diagnostics.h"
#include "npf/end_text.h"
#include "npf/expectation_ends.h"

namespace npf::tools {

analysis::Choice ChooseEnds(const std::string& option, const std::vector<std::string>& texts,
                            const std::string& default_namespace, const Snapshot& snapshot,
                            const Program& program) {
  analysis::Choice choice;
  if (texts.empty()) return choice;
  Expectation expectation;
  for (const std::string& text : texts) {
    EndText end;
    std::string fault;
    if (!ParseEnd(text, default_namespace, end, fault)) throw BadUsage(option + ": " + fault);
    if (!end.ports.empty()) {
      throw BadUsage(option + ": takes no port (" + EscapeForMessage(text) + ")");
    }
    end.text = text;
    expectation.from.push_back(std::move(end));
  }
  Diagnostics diagnostics;
  const analysis::AddressSpace space(program);
  const ResolvedExpectation resolved =
      EndResolver(snapshot, space, diagnostics).Resolve(expectation);
  if (!diagnostics.ok()) throw BadUsage(option + ": " + diagnostics.all().front().detail);
  choice.addresses = resolved.from.ranges();
  return choice;
}

}  // namespace npf::tools

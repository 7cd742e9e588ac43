// An explanation for people, with the file and line of every policy and rule that it names.
#ifndef NPF_TOOLS_NPF_WHY_TEXT_H_
#define NPF_TOOLS_NPF_WHY_TEXT_H_

#include <string>

#include "npf/explain.h"
#include "npf/question.h"
#include "npf/why.h"

namespace npf::tools {

// Several lines: the verdict, both sides, and each direction.
std::string WhyText(const QuestionText& question, const Explanation& why, const Places& places);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_WHY_TEXT_H_

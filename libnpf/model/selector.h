// Whether labels meet a selector (R10, R13): the one place of the compiler tower that knows.
#ifndef NPF_MODEL_SELECTOR_H_
#define NPF_MODEL_SELECTOR_H_

#include "npf/model.h"

namespace npf::model {

bool Matches(const LabelSelector& selector, const Labels& labels);

}  // namespace npf::model

#endif  // NPF_MODEL_SELECTOR_H_

// Where each field of a policy stood, for those who speak of a policy's fields long after its text
// is gone.
#ifndef NPF_MODEL_FIELD_POSITIONS_H_
#define NPF_MODEL_FIELD_POSITIONS_H_

#include <vector>

#include "npf/model.h"
#include "npf/snapshot.h"

namespace npf::model {

// Of every field that the object has, by path, sorted. Paths are the API server's; a label is
// "...matchLabels.KEY".
std::vector<FieldPosition> LocateFields(const NetworkPolicy& object, const FieldLocator& locate);
std::vector<FieldPosition> LocateFields(const ClusterPolicy& object, const FieldLocator& locate);

}  // namespace npf::model

#endif  // NPF_MODEL_FIELD_POSITIONS_H_

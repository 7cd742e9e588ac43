// The cold half of an image: decisions by direction, classes, endpoints, and where rules came from.
#ifndef NPF_COMPILE_COLD_TABLES_H_
#define NPF_COMPILE_COLD_TABLES_H_

#include "compile/image_writer.h"
#include "resolve/resolved_policy.h"

namespace npf {

void WriteDecisions(const resolve::ResolvedPolicy& policy, ImageWriter& writer);
void WriteClasses(const resolve::ResolvedPolicy& policy, ImageWriter& writer);
void WriteRows(const resolve::ResolvedPolicy& policy, ImageWriter& writer);
void WriteEndpoints(const resolve::ResolvedPolicy& policy, ImageWriter& writer);
void WritePorts(const resolve::ResolvedPolicy& policy, ImageWriter& writer);  // kPortIndex too
void WriteProvenance(const resolve::ResolvedPolicy& policy, ImageWriter& writer);

}  // namespace npf

#endif  // NPF_COMPILE_COLD_TABLES_H_

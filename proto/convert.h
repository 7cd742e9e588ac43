// Between the structs of control.h and the messages of control.proto. What comes from a message is
// checked: an address that is none, a port beyond 65535 and a field that nobody knows are
// kInvalidArgument, with the field's path.
#ifndef NPF_PROTO_CONVERT_H_
#define NPF_PROTO_CONVERT_H_

#include "absl/status/statusor.h"
#include "npf/v1/control.pb.h"
#include "proto/control.h"

namespace npf::control {

void ToMessage(const Status& from, v1::Status& to);
void ToMessage(const PolicyCount& from, v1::PolicyCount& to);
void ToMessage(const PodVisibility& from, v1::PodVisibility& to);
void ToMessage(const LoadRequest& from, v1::LoadRequest& to);
void ToMessage(const LoadRequest& from, v1::Objects& to);
void ToMessage(const LoadResult& from, v1::LoadResponse& to);
void ToMessage(const FlowKey& from, v1::FlowKey& to);
void ToMessage(const ExplainResult& from, v1::ExplainResponse& to);
void ToMessage(const Connection& from, v1::Connection& to);
void ToMessage(const DeniedPacket& from, v1::WatchDeniedResponse& to);

Status FromMessage(const v1::Status& from);
PolicyCount FromMessage(const v1::PolicyCount& from);
PodVisibility FromMessage(const v1::PodVisibility& from);
LoadResult FromMessage(const v1::LoadResponse& from);
ExplainResult FromMessage(const v1::ExplainResponse& from);
absl::StatusOr<LoadRequest> FromMessage(const v1::LoadRequest& from);
absl::StatusOr<LoadRequest> FromMessage(const v1::WouldCutRequest& from);  // its objects
absl::StatusOr<FlowKey> FromMessage(const v1::FlowKey& from);
absl::StatusOr<Connection> FromMessage(const v1::Connection& from);
absl::StatusOr<DeniedPacket> FromMessage(const v1::WatchDeniedResponse& from);

}  // namespace npf::control

#endif  // NPF_PROTO_CONVERT_H_

// gRPC writes what peers do wrong on stderr, without a bound.
#ifndef NPF_PROTO_QUIET_H_
#define NPF_PROTO_QUIET_H_

namespace npf::control {

// Turns that off for the process, unless GRPC_VERBOSITY or GRPC_TRACE is set.
void QuietGrpc();

}  // namespace npf::control

#endif  // NPF_PROTO_QUIET_H_

// What connections cost: the whole way of npf::Worker beside that without connections, over the
// same packets.
#ifndef NPF_BENCH_CONNECTIONS_H_
#define NPF_BENCH_CONNECTIONS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bench_run.h"
#include "connection_traffic.h"
#include "report.h"

namespace npf::bench {

inline constexpr char kWithoutConnections[] = "npf parse+decide";
inline constexpr char kWithConnections[] = "npf parse+connections+decide";

// Adds a scene for each of 64k flows, 1M flows, and 1M flows of which few have most of the packets,
// with 0, 1, 10 and 100 % of packets that begin a connection: "ct1M-uni/10". `place_asked` is one
// of these, "ct64k", "ct1M-uni" or "ct1M-zipf", or empty: all.
bool IsConnectionStage(std::string_view place);
absl::Status MeasureConnections(std::string_view place_asked, const RunOptions& options,
                                const TrafficOptions& traffic, Report& report);

// What each scene's connections add, and connections and packets a second.
std::string ConnectionsText(const Report& report);

}  // namespace npf::bench

#endif  // NPF_BENCH_CONNECTIONS_H_

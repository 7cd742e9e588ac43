// What the API server would say about one object by itself (R70 to R79).
//
// Each function walks an object in the order of the API server's own validation (R78) and reports
// every fault under the field path and the error type that the API server would use, so that what
// people read here is what `kubectl apply` would tell them. What only looks suspicious (rules for a
// direction that the policy does not govern, a selector that contradicts itself, host bits in a
// CIDR) is a warning. Nothing is changed and nothing is looked up outside the object: what concerns
// several objects at once is SnapshotBuilder's.
#ifndef NPF_MODEL_VALIDATE_H_
#define NPF_MODEL_VALIDATE_H_

#include <optional>
#include <string>
#include <string_view>

#include "npf/address.h"
#include "npf/diagnostics.h"
#include "npf/model.h"
#include "npf/snapshot.h"

namespace npf::model {

// "NetworkPolicy prod/db", "Node n1", or "Pod" where it has no name.
std::string ObjectName(std::string_view kind, std::string_view ns, std::string_view name);

// Takes the faults of one object. With `tolerant`, errors are told as warnings: the object will be
// left out (R79).
class ObjectFaults {
 public:
  struct Subject {
    std::string_view kind;
    std::string_view ns;
    std::string_view name;
    Position position;
  };
  ObjectFaults(const Subject& subject, const FieldLocator& locate, bool tolerant, Diagnostics& out)
      : subject_(subject), locate_(locate), tolerant_(tolerant), out_(out) {}

  void Error(std::string field, std::string_view type, std::string detail);
  void Warning(std::string field, std::string detail);
  size_t error_count() const { return error_count_; }

 private:
  Position PositionOf(std::string_view field) const;

  Subject subject_;
  const FieldLocator& locate_;
  bool tolerant_;
  Diagnostics& out_;
  size_t error_count_ = 0;
};

void ValidateNamespace(const Namespace& object, ObjectFaults& faults);
void ValidatePod(const Pod& object, ObjectFaults& faults);
void ValidateNode(const Node& object, ObjectFaults& faults);
void ValidateService(const Service& object, ObjectFaults& faults);  // what decides about traffic
void ValidateServiceEntry(const Service& object, ObjectFaults& faults);  // the rest
void ValidateIngress(const Ingress& object, ObjectFaults& faults);
void ValidateNetworkPolicy(const NetworkPolicy& object, bool strict_cidr, ObjectFaults& faults);
void ValidateClusterPolicy(const ClusterPolicy& object, bool strict_cidr, ObjectFaults& faults);
void ValidateResolvedName(const ResolvedName& object, ObjectFaults& faults);

// Parts that those share.
void ValidateObjectName(std::string_view name, ObjectFaults& faults);  // a DNS-1123 subdomain
void ValidateNamespaceName(std::string_view name, ObjectFaults& faults);
void ValidateLabels(const Labels& labels, const std::string& field, ObjectFaults& faults);
// R33 and the ruling on odd CIDRs; nullopt where the text is refused.
std::optional<IpPrefix> ValidateCidr(const std::string& text, const std::string& field,
                                     bool strict_cidr, ObjectFaults& faults);
void ValidateSelector(const LabelSelector& selector, const std::string& field,
                      ObjectFaults& faults);
// Whether a pod can have it: not unspecified, loopback, link-local or multicast.
bool IsEndpointAddress(const IpAddress& address);
std::string Found(std::string_view text);                 // ` (found "TEXT")`, escaped
std::string FoundNumber(int64_t number);                  // ` (found NUMBER)`
std::string Item(const std::string& list, size_t index);  // "LIST[INDEX]"

}  // namespace npf::model

#endif  // NPF_MODEL_VALIDATE_H_

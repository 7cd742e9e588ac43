// The spelling rules that Kubernetes has for names, label keys and values, and port names. Each
// function returns what is wrong, in the API server's words; nothing where the text is in order.
#ifndef NPF_MODEL_NAMES_H_
#define NPF_MODEL_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

namespace npf::model {

std::vector<std::string> Dns1123LabelFaults(std::string_view text);      // namespaces, services
std::vector<std::string> Dns1123SubdomainFaults(std::string_view text);  // most other names
std::vector<std::string> LabelKeyFaults(std::string_view text);          // [prefix/]name
std::vector<std::string> LabelValueFaults(std::string_view text);        // may be empty
std::vector<std::string> PortNameFaults(std::string_view text);          // IANA service name (R72)

// R87. A domain name in lower case, without the dot at its end.
std::string CanonicalDomain(std::string_view text);
// Whether a pattern covers a name, both canonical: "*.x" is every name that ends in ".x", not x.
bool DomainCovers(std::string_view pattern, std::string_view name);

}  // namespace npf::model

#endif  // NPF_MODEL_NAMES_H_

// Text in XML 1.0.
#ifndef NPF_TOOLS_NPF_XML_H_
#define NPF_TOOLS_NPF_XML_H_

#include <string>
#include <string_view>

namespace npf::tools {

// As the value of an attribute in double quotes, and as the content of an element, where line
// breaks stay as they are. What XML 1.0 cannot say at all (most control characters, U+FFFE, U+FFFF,
// bytes that are not UTF-8) becomes U+FFFD.
std::string XmlAttribute(std::string_view text);
std::string XmlContent(std::string_view text);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_XML_H_

// Four numbers that change separately.
#ifndef NPF_VERSION_H_
#define NPF_VERSION_H_

#include <cstdint>
#include <string_view>

namespace npf {

inline constexpr std::string_view kLibraryVersion = "0.1.0";
inline constexpr uint32_t kCAbiVersion = 1;
inline constexpr uint32_t kImageFormatVersion = 3;
inline constexpr uint32_t kSemanticsVersion = 1;  // rises when a rule's meaning changes

}  // namespace npf

#endif  // NPF_VERSION_H_

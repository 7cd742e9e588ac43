# A file as a constant of text: cmake -DSOURCE=... -DOUTPUT=... -DNAME=kPage -P EmbedText.cmake
file(READ ${SOURCE} text)
get_filename_component(from ${SOURCE} NAME)
file(WRITE ${OUTPUT} "// Made of ${from}.
#include <string_view>

namespace npf::tools {
inline constexpr std::string_view ${NAME} = R\"text(${text})text\";
}  // namespace npf::tools
")

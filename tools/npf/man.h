// Man pages: what the command line declares, and the prose of the documentation's page about it.
#ifndef NPF_TOOLS_NPF_MAN_H_
#define NPF_TOOLS_NPF_MAN_H_

#include <string>
#include <string_view>

#include "npf/program_text.h"

namespace npf::tools {

// One page of the manual, in roff, for man(7). `verb` may be empty: the program's own page. `prose`
// is Markdown, and stands behind the description.
std::string ManPage(const ProgramText& program, const Manual& manual, std::string_view verb,
                    std::string_view prose);

// Markdown as this project writes it (headings, paragraphs, lists, tables, fenced text, emphasis,
// code, links) as roff. The first heading, a page's title, is left out.
std::string RoffOfMarkdown(std::string_view markdown);

// Plain text as roff: nothing in it is a request or an escape.
std::string RoffText(std::string_view text);

// Writes every page into `directory`, with the prose of `docs`, where a page of the name of the
// verb, or one that is known to be about it, lies there. Gives the exit status.
int WriteManPages(const ProgramText& program, const Manual& manual, const std::string& directory,
                  const std::string& docs);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_MAN_H_

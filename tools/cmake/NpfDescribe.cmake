# npf_describe(TARGET COMPONENT): the man pages and completion scripts of a command. It writes them
# itself, from what its command line declares, when it was built; docs/ gives the prose.
function(npf_describe target component)
  if(NPF_SANITIZE OR NPF_COVERAGE OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(folder ${PROJECT_BINARY_DIR}/described/${target})
  file(GLOB docs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md)
  set(scripts "")
  foreach(shell IN ITEMS bash zsh fish)
    list(APPEND scripts COMMAND $<TARGET_FILE:${target}> completion ${shell} > ${folder}/${shell})
  endforeach()
  add_custom_command(OUTPUT ${folder}/stamp
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
    COMMAND $<TARGET_FILE:${target}> man ${folder}/man --docs ${PROJECT_SOURCE_DIR}/docs
    ${scripts}
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}/stamp
    DEPENDS ${target} ${docs} VERBATIM
    COMMENT "Man pages and completion of ${target}")
  add_custom_target(${target}_described ALL DEPENDS ${folder}/stamp)
  foreach(section IN ITEMS 1 8)
    install(DIRECTORY ${folder}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
            COMPONENT ${component} FILES_MATCHING PATTERN "*.${section}")
  endforeach()
  install(FILES ${folder}/bash RENAME ${target} COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${folder}/zsh RENAME _${target} COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${folder}/fish RENAME ${target}.fish COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endfunction()

# What `cmake --install` lays down: headers, archives, the CMake package and the pkg-config files.
# docs/embedding.md shows how programs use them; tests/install builds such programs.
include(CMakePackageConfigHelpers)

set(npf_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/npf)

# Three sets, so that a program that only loads images needs neither yaml-cpp nor zlib.
foreach(name IN ITEMS runtime npf load)
  install(TARGETS npf_${name} EXPORT npf-${name}-targets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
  install(EXPORT npf-${name}-targets NAMESPACE npf:: DESTINATION ${npf_cmake_dir} COMPONENT dev)
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/libnpf/include/npf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT dev FILES_MATCHING PATTERN "*.h")

write_basic_package_version_file(${PROJECT_BINARY_DIR}/npf-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/tools/cmake/npf-config.cmake
              ${PROJECT_BINARY_DIR}/npf-config-version.cmake
        DESTINATION ${npf_cmake_dir} COMPONENT dev)

# The pkg-config files find their prefix from where they lie, so that the tree can be moved.
file(RELATIVE_PATH npf_pc_to_prefix ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_PREFIX})
foreach(pc IN ITEMS npf npf-runtime)
  configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/${pc}.pc.in ${PROJECT_BINARY_DIR}/${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT dev)
endforeach()

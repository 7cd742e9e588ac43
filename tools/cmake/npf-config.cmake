# find_package(npf [COMPONENTS runtime npf load]) gives npf::runtime (loads images), npf::npf (and
# compiles) and npf::load (and reads YAML and JSON). Without components it gives all three.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(absl)

if(NOT npf_FIND_COMPONENTS)
  set(npf_FIND_COMPONENTS runtime npf load)
  foreach(component IN LISTS npf_FIND_COMPONENTS)
    set(npf_FIND_REQUIRED_${component} TRUE)
  endforeach()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/npf-runtime-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/npf-npf-targets.cmake)
if(load IN_LIST npf_FIND_COMPONENTS)
  find_dependency(yaml-cpp)
  find_dependency(ZLIB)
  include(${CMAKE_CURRENT_LIST_DIR}/npf-load-targets.cmake)
endif()

foreach(component IN LISTS npf_FIND_COMPONENTS)
  if(TARGET npf::${component})
    set(npf_${component}_FOUND TRUE)
  elseif(npf_FIND_REQUIRED_${component})
    set(npf_FOUND FALSE)
    set(npf_NOT_FOUND_MESSAGE "npf has no component ${component}; it has runtime, npf and load")
  endif()
endforeach()

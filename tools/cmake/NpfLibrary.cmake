# Folders of libnpf are floors of one house: a folder may use only folders on lower floors, and the
# compiler tower and the runtime tower meet only in `program`. npf_folder() declares a folder;
# npf_check_floors() reads every #include of every folder and stops the configuration where the
# declared floors are not kept.

set_property(GLOBAL PROPERTY NPF_FOLDERS "")

# npf_folder(NAME floor TOWER base|compiler|bridge|runtime|both SOURCES ... DEPS ... LINK ...)
function(npf_folder name floor)
  cmake_parse_arguments(ARG "" "TOWER" "SOURCES;DEPS;LINK" ${ARGN})
  foreach(dep IN LISTS ARG_DEPS)
    get_property(dep_floor GLOBAL PROPERTY NPF_FLOOR_${dep})
    get_property(dep_tower GLOBAL PROPERTY NPF_TOWER_${dep})
    if(dep_floor STREQUAL "" OR NOT dep_floor LESS floor)
      message(FATAL_ERROR "libnpf/${name} (floor ${floor}) may not use libnpf/${dep} (floor ${dep_floor})")
    endif()
    if((ARG_TOWER STREQUAL "compiler" AND dep_tower STREQUAL "runtime") OR
       (ARG_TOWER STREQUAL "runtime" AND dep_tower STREQUAL "compiler") OR
       (ARG_TOWER STREQUAL "bridge" AND NOT dep_tower STREQUAL "base"))
      message(FATAL_ERROR "libnpf/${name} (${ARG_TOWER}) may not use libnpf/${dep} (${dep_tower})")
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY NPF_FLOOR_${name} ${floor})
  set_property(GLOBAL PROPERTY NPF_TOWER_${name} ${ARG_TOWER})
  set_property(GLOBAL PROPERTY NPF_DEPS_${name} "${ARG_DEPS}")
  set_property(GLOBAL APPEND PROPERTY NPF_FOLDERS ${name})

  add_library(npf_${name}_objects OBJECT ${ARG_SOURCES})
  target_include_directories(npf_${name}_objects PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libnpf/include>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libnpf>)
  target_link_libraries(npf_${name}_objects PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:npf_flags>)
endfunction()

# npf_archive(NAME FOLDERS ... LINK ...): one shipped static library made of folders.
function(npf_archive name)
  cmake_parse_arguments(ARG "" "" "FOLDERS;LINK" ${ARGN})
  add_library(npf_${name} STATIC)
  foreach(folder IN LISTS ARG_FOLDERS)
    target_sources(npf_${name} PRIVATE $<TARGET_OBJECTS:npf_${folder}_objects>)
  endforeach()
  set_target_properties(npf_${name} PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME ${name})
  target_include_directories(npf_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libnpf/include>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libnpf>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(npf_${name} PUBLIC cxx_std_20)
  target_link_libraries(npf_${name} PUBLIC ${ARG_LINK} $<BUILD_INTERFACE:npf_flags>)
  add_library(npf::${name} ALIAS npf_${name})
endfunction()

# Every `#include "folder/..."` of a folder must name itself or a declared dependency (or, for
# convenience, a dependency's dependency).
function(npf_check_floors)
  get_property(folders GLOBAL PROPERTY NPF_FOLDERS)
  foreach(name IN LISTS folders)
    set(allowed ${name})
    set(queue ${name})
    while(queue)
      list(POP_FRONT queue next)
      get_property(deps GLOBAL PROPERTY NPF_DEPS_${next})
      list(APPEND allowed ${deps})
      list(APPEND queue ${deps})
      list(REMOVE_DUPLICATES queue)
    endwhile()
    list(REMOVE_DUPLICATES allowed)
    file(GLOB files ${PROJECT_SOURCE_DIR}/libnpf/${name}/*.h ${PROJECT_SOURCE_DIR}/libnpf/${name}/*.cc)
    foreach(file IN LISTS files)
      file(STRINGS ${file} includes REGEX "^#include \"(base|model|load|reference|resolve|compile|program|classify|packet|conntrack|explain|image|engine|capi|proto|dpdk_app|tools|tests)/")
      foreach(line IN LISTS includes)
        string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" used "${line}")
        if(NOT used IN_LIST allowed)
          message(FATAL_ERROR "${file}: ${line}: libnpf/${name} does not declare libnpf/${used}")
        endif()
      endforeach()
      file(STRINGS ${file} foreign REGEX "^#include <(yaml-cpp|rapidjson|google/protobuf|grpc|rte_)")
      if(foreign AND NOT name STREQUAL "load")
        message(FATAL_ERROR "${file}: ${foreign}: this library stays in its own folder")
      endif()
    endforeach()
  endforeach()
endfunction()

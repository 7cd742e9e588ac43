# What the appliance and the verbs that talk to it need beyond the library. Debian has no CMake
# package of gRPC: pkg-config finds it. Sets NPF_CONTROL where it is there.
option(NPF_BUILD_APPLIANCE "the appliance, its control socket and the live verbs (needs gRPC)"
       ${PROJECT_IS_TOP_LEVEL})
set(NPF_CONTROL OFF)
if(NPF_BUILD_APPLIANCE)
  find_package(PkgConfig)
  if(PkgConfig_FOUND)
    pkg_check_modules(NPF_GRPC IMPORTED_TARGET grpc++ protobuf)
  endif()
  find_program(NPF_PROTOC protoc)
  find_program(NPF_GRPC_CPP_PLUGIN grpc_cpp_plugin)
  if(NPF_GRPC_FOUND AND NPF_PROTOC AND NPF_GRPC_CPP_PLUGIN)
    set(NPF_CONTROL ON)
  else()
    message(STATUS "gRPC is not found (grpc++, protobuf, protoc, grpc_cpp_plugin): the appliance "
                   "and the live verbs of npf are not built")
  endif()
endif()

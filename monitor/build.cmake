# SPDX-License-Identifier: Apache-2.0
# How a room is built: one static library per folder, one set of warnings for all.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

set(IV_WARNINGS
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wundef
  -Wcast-qual -Wcast-align -Wwrite-strings -Wvla -Wimplicit-fallthrough)
set(IV_WARNINGS_C -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)

add_library(iv_warnings INTERFACE)
target_compile_options(iv_warnings INTERFACE ${IV_WARNINGS} "$<$<COMPILE_LANGUAGE:C>:${IV_WARNINGS_C}>")

add_library(iv_options INTERFACE)
target_compile_options(iv_options INTERFACE -Wall -Wextra -fno-strict-aliasing -fno-omit-frame-pointer)
target_compile_definitions(iv_options INTERFACE _GNU_SOURCE)
target_include_directories(iv_options INTERFACE ${CMAKE_SOURCE_DIR}/monitor)

if(IV_SANITIZE STREQUAL "address")
  set(IV_SAN -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(IV_SANITIZE STREQUAL "fuzzer")
  set(IV_SAN -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
elseif(IV_SANITIZE STREQUAL "thread")
  set(IV_SAN -fsanitize=thread)
endif()
if(IV_SAN)
  target_compile_options(iv_options INTERFACE ${IV_SAN})
  target_link_options(iv_options INTERFACE ${IV_SAN})
endif()
if(IV_FAULT_POINTS)
  target_compile_definitions(iv_options INTERFACE IV_FAULT_POINTS)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/harden.cmake)

# iv_add_module(NAME SOURCES a.c b.c DEPENDS base event LIBS PkgConfig::RDKAFKA)
# The room NAME: a static library iv_NAME of the sources in its folder. DEPENDS are rooms below it.
function(iv_add_module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPENDS;LIBS" ${ARGN})
  add_library(iv_${name} STATIC ${M_SOURCES})
  target_link_libraries(iv_${name} PRIVATE iv_options iv_warnings)
  foreach(dep ${M_DEPENDS})
    target_link_libraries(iv_${name} PUBLIC iv_${dep})
  endforeach()
  foreach(lib ${M_LIBS})
    target_link_libraries(iv_${name} PRIVATE ${lib})
  endforeach()
endfunction()

# iv_embed(iv_shipped_files TYPE iv_shipped_file HEADER app/shipped.h ROOT dir FILES a b)
# Makes TABLE.c in the build folder: the bytes of the files, named below ROOT, as one table (embed.cmake).
function(iv_embed table)
  cmake_parse_arguments(E "" "TYPE;HEADER;ROOT" "FILES" ${ARGN})
  list(JOIN E_FILES "," names)
  list(TRANSFORM E_FILES PREPEND ${E_ROOT}/ OUTPUT_VARIABLE paths)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${table}.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DTABLE=${table} -DTYPE=${E_TYPE} -DHEADER=${E_HEADER} -DROOT=${E_ROOT}
            -DIN=${names} -P ${CMAKE_SOURCE_DIR}/monitor/embed.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/monitor/embed.cmake)
endfunction()

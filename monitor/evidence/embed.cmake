# SPDX-License-Identifier: Apache-2.0
# Writes OUT, a C file that holds the migrations IN (SQL files, in order) as one table of texts. As bytes, not as string
# literals: C promises literals of 4,095 characters only.
# Called by the build: cmake -DOUT=… -DIN=a.sql,b.sql -P embed.cmake
string(REPLACE "," ";" files "${IN}")
list(LENGTH files count)
set(table "")
set(number 0)
file(WRITE ${OUT} "/* Made by embed.cmake from the files in migrations/. */\n#include \"evidence/schema.h\"\n\n")
foreach(path IN LISTS files)
  math(EXPR number "${number} + 1")
  file(READ ${path} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " hex "${hex}")
  file(APPEND ${OUT} "static const char migration_${number}[] = {\n    ${hex}0};\n\n")
  string(APPEND table "    migration_${number},\n")
endforeach()
file(APPEND ${OUT} "const char *const iv_migrations[] = {\n${table}};\nconst int iv_migration_count = ${count};\n")

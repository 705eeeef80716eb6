# SPDX-License-Identifier: Apache-2.0
# Writes OUT, a C file with the table TABLE of the files IN (paths below ROOT, with commas between), each as a
# struct TYPE of HEADER: its path below ROOT, its bytes, their number. As bytes, not as string literals: C promises
# literals of 4,095 characters only.
# Called by the build: cmake -DOUT=… -DTABLE=… -DTYPE=… -DHEADER=… -DROOT=… -DIN=a,b -P embed.cmake
string(REPLACE "," ";" files "${IN}")
list(LENGTH files count)
set(table "")
set(number 0)
file(WRITE ${OUT} "/* Made by embed.cmake. */\n#include \"${HEADER}\"\n\n")
foreach(path IN LISTS files)
  math(EXPR number "${number} + 1")
  file(READ ${ROOT}/${path} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " hex "${hex}")
  file(APPEND ${OUT} "static const unsigned char file_${number}[] = {\n    ${hex}0};\n\n")
  string(APPEND table "    {\"${path}\", (const char *)file_${number}, ${bytes}},\n")
endforeach()
file(APPEND ${OUT} "const struct ${TYPE} ${TABLE}[] = {\n${table}};\nconst size_t ${TABLE}_count = ${count};\n")

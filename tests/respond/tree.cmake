# SPDX-License-Identifier: Apache-2.0
# Brings what the peers are made of into TO, by the lock file. Where that fails, the tests that need them skip themselves,
# but under tests/run, where they fail.
string(REPLACE "," ";" files "${FILES}")
foreach(file ${files})
  file(MAKE_DIRECTORY ${TO})
  file(COPY_FILE ${FROM}/${file} ${TO}/${file} ONLY_IF_DIFFERENT)
endforeach()

# What is installed is kept until the lock file changes.
file(SHA256 ${TO}/package-lock.json lock)
set(stamp ${TO}/node_modules/.invigil-${lock})
if(NOT EXISTS ${stamp})
  execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund WORKING_DIRECTORY ${TO} RESULT_VARIABLE rc
    OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(rc EQUAL 0)
    file(TOUCH ${stamp})
  else()
    message("${text}")
    message(WARNING "The peers of the actions are not there. To try again: remove ${TO}/installed")
  endif()
endif()
file(TOUCH ${TO}/installed)

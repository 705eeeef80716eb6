# SPDX-License-Identifier: Apache-2.0
# What the compiler and the linker can do against mistakes of ours, after the OpenSSF's guide "Compiler Options
# Hardening Guide for C and C++". Each option is asked for first: another compiler, or a newer one, takes what it has.
# tests/deploy/hardened looks into the program that came out.
#
# Cost: 0.6 % more instructions in a replay with the rules that ship (callgrind, x86-64), within the noise in time.
# Left out on purpose: -fzero-call-used-regs costs 3 to 5 % and closes nothing that CET leaves open here; -z nodlopen
# is about libraries; -fexceptions is for C that is called from C++ and unwound through, which nothing here is.
include(CheckCompilerFlag)
include(CheckLinkerFlag)

# iv_probe(KIND LANGUAGE SCOPE OPTION...): adds to iv_options what is accepted; KIND is compile or link.
function(iv_probe kind language)
  foreach(flag ${ARGN})
    string(MAKE_C_IDENTIFIER "IV_HAS_${language}${flag}" has)
    if(kind STREQUAL "compile")
      check_compiler_flag(${language} "${flag}" ${has})
      if(${has})
        target_compile_options(iv_options INTERFACE "$<$<COMPILE_LANGUAGE:${language}>:${flag}>")
      endif()
    else()
      check_linker_flag(${language} "${flag}" ${has})
      if(${has})
        target_link_options(iv_options INTERFACE "${flag}")
      endif()
    endif()
  endforeach()
endfunction()

iv_probe(link C -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--no-copy-dt-needed-entries)

# Never together with sanitizers: they bring their own checks of the same places, and -fno-strict-overflow would keep
# them from telling of an overflow.
if(IV_HARDEN)
  if(IV_SANITIZE)
    message(FATAL_ERROR "IV_HARDEN and IV_SANITIZE do not go together")
  endif()
  set(checks -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fstrict-flex-arrays=3)
  # Where the standard would let the optimiser assume that a mistake cannot be, it does not.
  list(APPEND checks -fno-delete-null-pointer-checks -fno-strict-overflow -ftrivial-auto-var-init=zero)
  iv_probe(compile C ${checks} -Wtrampolines)
  iv_probe(compile CXX ${checks})
  target_compile_options(iv_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_compile_definitions(iv_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>")
endif()

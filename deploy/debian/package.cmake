# SPDX-License-Identifier: Apache-2.0
# The Debian package, from a release's build folder: cpack -B DIR. deploy/debian/README.md says what is in it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME invigil)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Invigil maintainers <maintainers@invigil.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "continuous compliance monitor for AI agents")
set(CPACK_PACKAGE_DESCRIPTION "Reads the ledger and the telemetry of agent runtimes from Apache Kafka,
checks them against a compliance baseline mapped to the SOC 2 criteria, and
triggers remediation playbooks. Findings are kept with their evidence.")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL Unspecified package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# What Debian has beside the program, the rules and the playbooks.
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)
set(made ${CMAKE_CURRENT_BINARY_DIR}/debian)
set(doc /usr/share/doc/invigil)

# Packed without a time, so that the same sources give the same bytes.
function(iv_packed out from to)
  add_custom_command(OUTPUT ${made}/${to} DEPENDS ${from} COMMAND ${CMAKE_COMMAND} -E make_directory ${made}
                     COMMAND gzip -9 -n -c ${from} > ${made}/${to} VERBATIM)
  set(${out} ${made}/${to} PARENT_SCOPE)
endfunction()
string(TIMESTAMP IV_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${debian}/changelog.in ${made}/changelog @ONLY)
iv_packed(changelog ${made}/changelog changelog.Debian.gz)
iv_packed(manual ${debian}/invigil.8 invigil.8.gz)
add_custom_target(package_files ALL DEPENDS ${changelog} ${manual})

install(FILES ${changelog} ${debian}/copyright ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/deploy/CONFIGURATION.md
  ${CMAKE_SOURCE_DIR}/deploy/ALERTS.md ${CMAKE_SOURCE_DIR}/deploy/EVIDENCE.md
        DESTINATION ${doc} COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${manual} DESTINATION /usr/share/man/man8 COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/README.md DESTINATION ${doc} RENAME systemd.md
        COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/invigil.service DESTINATION /lib/systemd/system
        COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${debian}/invigil.yaml DESTINATION /etc/invigil COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${debian}/lintian-overrides DESTINATION /usr/share/lintian/overrides RENAME invigil
        COMPONENT package EXCLUDE_FROM_ALL)

# What an administrator changes under /etc stays his: every file there is a conffile.
file(GLOB shipped CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/rules/*.yaml ${CMAKE_SOURCE_DIR}/rules/packs/*.yaml ${CMAKE_SOURCE_DIR}/rules/canary/*.yaml ${CMAKE_SOURCE_DIR}/remediations/*.yaml)
list(TRANSFORM shipped PREPEND /etc/invigil/)
list(APPEND shipped /etc/invigil/invigil.yaml)
list(JOIN shipped "\n" conffiles)
file(WRITE ${made}/conffiles "${conffiles}\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${made}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
include(CPack)

# Where the files that are not programs go. A distribution's package sets
# CMAKE_INSTALL_PREFIX=/usr and CMAKE_INSTALL_SYSCONFDIR=/etc.
include(GNUInstallDirs)

install(FILES packaging/ntp-daemon.service
        DESTINATION lib/systemd/system)
install(FILES packaging/concert.sysusers.conf
        DESTINATION lib/sysusers.d RENAME concert.conf)
install(FILES packaging/concert.tmpfiles.conf
        DESTINATION lib/tmpfiles.d RENAME concert.conf)
install(FILES packaging/ntp.toml
        DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/concert)
install(FILES LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Where the files that are not programs go. A distribution's package sets
# CMAKE_INSTALL_PREFIX=/usr and CMAKE_INSTALL_SYSCONFDIR=/etc.
include(GNUInstallDirs)

install(FILES packaging/ntp-daemon.service
              packaging/ntp-metrics-exporter.service
        DESTINATION lib/systemd/system)
install(FILES packaging/grafana/concert.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/concert/grafana)
install(FILES packaging/prometheus/alerts.yml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/concert/prometheus)
install(FILES packaging/concert.sysusers.conf
        DESTINATION lib/sysusers.d RENAME concert.conf)
install(FILES packaging/concert.logrotate
        DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/logrotate.d RENAME concert)
install(FILES packaging/concert.tmpfiles.conf
        DESTINATION lib/tmpfiles.d RENAME concert.conf)
install(FILES packaging/ntp.toml
        DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/concert)
install(FILES LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Completions are made by the program that they complete.
if(TARGET ntp-ctl AND NOT CMAKE_CROSSCOMPILING)
  set(completions "${PROJECT_BINARY_DIR}/completions")
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT "${completions}/ntp-ctl.${shell}"
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${completions}"
      COMMAND ntp-ctl completion ${shell} > "${completions}/ntp-ctl.${shell}"
      DEPENDS ntp-ctl
      VERBATIM)
  endforeach()
  add_custom_target(completions ALL
    DEPENDS "${completions}/ntp-ctl.bash" "${completions}/ntp-ctl.zsh"
            "${completions}/ntp-ctl.fish")
  install(FILES "${completions}/ntp-ctl.bash" RENAME ntp-ctl
          DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
  install(FILES "${completions}/ntp-ctl.zsh" RENAME _ntp-ctl
          DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
  install(FILES "${completions}/ntp-ctl.fish"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
endif()

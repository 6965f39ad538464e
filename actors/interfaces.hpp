#pragma once

#include "actors/messages.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <vector>

/// The map of the daemon: every typed interface, in dependency order.
namespace concert::actors {

/// A message without an answer.
template <class Message>
using tells = caf::reacts_to<Message>;
/// A request and its answer.
template <class Answer, class Request>
using asks = typename caf::replies_to<Request>::template with<Answer>;

struct wiring;
struct source_announcement;

/// One remote server: its association, socket and timer.
using source_actor
  = caf::typed_actor<tells<wiring>,        ///< peers were (re)started: announce
                                           ///< yourself
                     tells<deadline>,      ///< poll, reply window or stamp wait
                     tells<readable>,      ///< reply or transmit stamp
                     tells<desired_poll>,  ///< wish of the steering
                     tells<clock_stepped>, ///< drop the exchange under way
                     tells<poll_soon>,     ///< wish of the steering
                     tells<credentials_given>,   ///< by a key exchange
                     tells<network_changed>,     ///< go offline or online
                     tells<source_reconfigured>, ///< limits, flags, online
                     tells<burst_wanted>,        ///< by a person
                     tells<retire>>; ///< end, and let the spawner replace you

/// One `[[source]]`: which remotes it should have now.
using spawner_actor
  = caf::typed_actor<tells<wiring>,      ///< passed on to the sources
                     tells<deadline>,    ///< time to resolve again
                     tells<resolved>,    ///< addresses of the name, or an error
                     tells<source_lost>, ///< a source ended
                     tells<network_changed>, ///< passed on; a failed name is
                                             ///< tried again
                     tells<source_config_changed>, ///< passed on
                     tells<burst_wanted>,          ///< passed on
                     tells<clock_was_set>>; ///< certificates can be judged

/// One `[[source]]` with NTS: exchanges keys for its sources.
using nts_spawner_actor
  = spawner_actor::extend<tells<keys_wanted>,  ///< of a source: exchange keys
                          tells<cookies_left>, ///< of a source, to be kept over
                                               ///< a restart
                          tells<exchange_ended>, ///< keys, or an error
                          asks<nts_sources, get_nts_sources>>;

/// Selection, discipline and the clock.
using steering_actor = caf::typed_actor<
  tells<wiring>,              ///< peers were (re)started: tell all of them
  tells<deadline>,            ///< end of a slew, growth of the error, saving
  tells<source_announcement>, ///< a source exists
  tells<source_removed>,      ///< it ended
  tells<ntp::source_report>,  ///< a poll ended
  tells<config_changed>,      ///< thresholds and limits
  tells<leap_list_changed>,   ///< leap-seconds.list was read
  tells<network_changed>,     ///< own addresses, routes
  asks<ctl::control_answer, force_sync>, ///< lift a panic
  asks<ctl::control_answer, step_wanted>, asks<pong, ping>,
  asks<stop_prepared, prepare_stop>,
  asks<steering_status, get_steering_status>>;

/// The packet loop of one core: a socket for each listen address.
using worker_actor
  = caf::typed_actor<tells<open_port>,        ///< serve an address; also on new
                                              ///< configuration
                     tells<close_port>,       ///< stop serving it
                     tells<ntp::served_time>, ///< the time to answer with
                     tells<next_batch>,       ///< from itself
                     asks<cookie_keys_taken, cookie_keys_changed>,
                     asks<port_report, get_port_report>>;

/// One `[[server]]`: address, policy, counters of all workers together.
using server_actor
  = caf::typed_actor<tells<wiring>,   ///< open the port at all workers
                     tells<deadline>, ///< try a failed port again
                     tells<server_config_changed>, ///< new lists and limits
                     tells<network_changed>, ///< own addresses for the loop
                                             ///< check
                     asks<ctl::server_status, get_server_status>>;

/// One `[[nts-ke-server]]`: gives out cookies, by TLS.
using nts_ke_server_actor
  = caf::typed_actor<tells<wiring>,
                     tells<deadline>, ///< try a failed port again, look at the
                                      ///< certificates
                     tells<reload>,   ///< read the certificates again
                     tells<nts_ke_server_config_changed>,
                     asks<cookie_keys_taken, cookie_keys_changed>,
                     asks<ctl::nts_ke_server_status, get_nts_ke_server_status>>;

/// The keys of the cookies: makes, keeps and distributes them.
using keyset_actor
  = caf::typed_actor<tells<wiring>, ///< peers were (re)started: give them keys
                     tells<deadline>, ///< rotation
                     tells<reload>,   ///< read the cluster's secret again
                     tells<keyset_config_changed>,
                     tells<clock_was_set>, ///< a cluster's keys can be derived
                     tells<clock_stepped>, ///< which period is it now
                     asks<ctl::keyset_status, get_keyset_status>>;

/// Answers what the daemon's state is.
using publisher_actor
  = caf::typed_actor<tells<wiring>, tells<deadline>,
                     tells<config_changed>,   ///< paths and permissions of the
                                              ///< sockets
                     tells<reader_connected>, ///< from the observation socket
                     tells<control_received>, ///< from the control socket
                     asks<document, get_document>>;

/// The configuration in force and its files.
using config_manager_actor
  = caf::typed_actor<tells<wiring>,
                     tells<reload>, ///< read all files again; tell those whose
                                    ///< part changed
                     asks<ctl::control_answer, change_wanted>>;

/// Writes the measurement and tracking logs.
using recorder_actor
  = caf::typed_actor<tells<config_changed>, ///< paths
                     tells<reload>,         ///< open the files anew
                     tells<measurement_taken>, tells<clock_updated>>;

/// Writes the state file, and cookies beside it.
using state_keeper_actor
  = caf::typed_actor<tells<save_state>, tells<save_cookies>,
                     asks<saved_cookies, take_cookies>, tells<end_when_saved>>;

/// The life of all others.
using supervisor_actor
  = caf::typed_actor<tells<deadline>,        ///< restart, retry, watchdog
                     tells<signal_received>, ///< stop or reload
                     tells<config_changed>, ///< sources and servers to start or
                                            ///< stop
                     tells<network_changed>, ///< passed on
                     tells<clock_was_set>,   ///< passed on
                     tells<clock_stepped>,   ///< passed on
                     tells<exit_requested>>; ///< end with a code

/// Where everybody is, now. Sent to all at start and after each restart; who
/// hears it announces itself anew.
struct wiring {
  supervisor_actor supervisor;
  config_manager_actor config_manager;
  state_keeper_actor state_keeper;
  steering_actor steering;
  publisher_actor publisher;
  recorder_actor recorder;
  /// Those of `[[source]]`, by name as configured.
  std::vector<std::pair<std::string, spawner_actor>> sources;
  std::vector<worker_actor> workers;
  std::vector<server_actor> servers;
  std::vector<nts_spawner_actor> nts_sources;
  std::vector<nts_ke_server_actor> nts_ke_servers;
  keyset_actor keyset; ///< null where no cookies are used
};

/// A source exists and will report.
struct source_announcement {
  ntp::source_registration registration;
  source_actor handle;
};

} // namespace concert::actors

// All messages stay in this process: none needs a serialised form.
#define CONCERT_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
CONCERT_MESSAGE(concert::actors::deadline)
CONCERT_MESSAGE(concert::actors::readable)
CONCERT_MESSAGE(concert::actors::network_changed)
CONCERT_MESSAGE(concert::actors::desired_poll)
CONCERT_MESSAGE(concert::actors::clock_stepped)
CONCERT_MESSAGE(concert::actors::poll_soon)
CONCERT_MESSAGE(concert::actors::credentials_given)
CONCERT_MESSAGE(concert::actors::clock_was_set)
CONCERT_MESSAGE(concert::actors::keys_wanted)
CONCERT_MESSAGE(concert::actors::cookies_left)
CONCERT_MESSAGE(concert::actors::exchange_ended)
CONCERT_MESSAGE(concert::actors::get_nts_sources)
CONCERT_MESSAGE(concert::actors::nts_sources)
CONCERT_MESSAGE(concert::actors::cookie_keys_changed)
CONCERT_MESSAGE(concert::actors::cookie_keys_taken)
CONCERT_MESSAGE(concert::actors::keyset_config_changed)
CONCERT_MESSAGE(concert::actors::get_keyset_status)
CONCERT_MESSAGE(concert::actors::nts_ke_server_config_changed)
CONCERT_MESSAGE(concert::actors::get_nts_ke_server_status)
CONCERT_MESSAGE(concert::actors::save_cookies)
CONCERT_MESSAGE(concert::actors::take_cookies)
CONCERT_MESSAGE(concert::actors::saved_cookies)
CONCERT_MESSAGE(concert::actors::end_when_saved)
CONCERT_MESSAGE(concert::actors::retire)
CONCERT_MESSAGE(concert::actors::source_reconfigured)
CONCERT_MESSAGE(concert::actors::source_config_changed)
CONCERT_MESSAGE(concert::actors::burst_wanted)
CONCERT_MESSAGE(concert::actors::step_wanted)
CONCERT_MESSAGE(concert::actors::control_received)
CONCERT_MESSAGE(concert::actors::change_wanted)
CONCERT_MESSAGE(concert::actors::measurement_taken)
CONCERT_MESSAGE(concert::actors::clock_updated)
CONCERT_MESSAGE(concert::ctl::control_answer)
CONCERT_MESSAGE(concert::actors::source_lost)
CONCERT_MESSAGE(concert::actors::resolved)
CONCERT_MESSAGE(concert::actors::source_removed)
CONCERT_MESSAGE(concert::actors::leap_list_changed)
CONCERT_MESSAGE(concert::actors::force_sync)
CONCERT_MESSAGE(concert::actors::prepare_stop)
CONCERT_MESSAGE(concert::actors::stop_prepared)
CONCERT_MESSAGE(concert::actors::get_steering_status)
CONCERT_MESSAGE(concert::actors::steering_status)
CONCERT_MESSAGE(concert::actors::server_config_changed)
CONCERT_MESSAGE(concert::actors::open_port)
CONCERT_MESSAGE(concert::actors::close_port)
CONCERT_MESSAGE(concert::actors::next_batch)
CONCERT_MESSAGE(concert::actors::get_port_report)
CONCERT_MESSAGE(concert::actors::port_report)
CONCERT_MESSAGE(concert::actors::get_server_status)
CONCERT_MESSAGE(concert::actors::ping)
CONCERT_MESSAGE(concert::actors::pong)
CONCERT_MESSAGE(concert::actors::reader_connected)
CONCERT_MESSAGE(concert::actors::get_document)
CONCERT_MESSAGE(concert::actors::document)
CONCERT_MESSAGE(concert::actors::reload)
CONCERT_MESSAGE(concert::actors::config_changed)
CONCERT_MESSAGE(concert::actors::save_state)
CONCERT_MESSAGE(concert::actors::signal_received)
CONCERT_MESSAGE(concert::actors::exit_requested)
CONCERT_MESSAGE(concert::actors::wiring)
CONCERT_MESSAGE(concert::actors::source_announcement)
CONCERT_MESSAGE(concert::ntp::source_report)
CONCERT_MESSAGE(concert::ntp::served_time)
CONCERT_MESSAGE(concert::ctl::server_status)
CONCERT_MESSAGE(concert::ctl::nts_ke_server_status)
CONCERT_MESSAGE(concert::ctl::keyset_status)
#undef CONCERT_MESSAGE

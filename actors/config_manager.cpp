#include "actors/config_manager.hpp"

#include "actors/log_level.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/text.hpp"
#include "platform/hash.hpp"
#include "platform/private_file.hpp"
#include "platform/readiness.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <span>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::size_t max_leap_file = 1024 * 1024;

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::string text(max_leap_file, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (!in.eof() && in.fail()))
    return {};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty())
    return {};
  return text;
}

/// The list, or null with a warning.
std::shared_ptr<const ntp::leap_list>
load_leap_list(const std::filesystem::path& path,
               std::chrono::seconds unix_time) {
  const auto text = read_file(path);
  if (!text) {
    log::warning("leap-file-failed", "file={} error=\"cannot be read\"",
                 path.string());
    return nullptr;
  }
  const auto list = ntp::leap_list::parse(*text, &platform::sha1);
  if (!list) {
    log::warning("leap-file-failed", "file={} error=\"{}\"", path.string(),
                 to_string(list.error()));
    return nullptr;
  }
  if (list->expired(unix_time))
    log::warning("leap-file-expired",
                 "file={} the sources' majority decides instead",
                 path.string());
  return std::make_shared<const ntp::leap_list>(*list);
}

ctl::control_answer refuse(ctl::control_refusal why, std::string text) {
  return {{}, ctl::control_problem{why, std::move(text)}, false};
}

/// All errors, a line each.
std::string lines_of(const std::vector<config::diagnostic>& diagnostics) {
  std::string text;
  for (const auto& d : diagnostics) {
    if (d.level != config::diagnostic::severity::error)
      continue;
    if (!text.empty())
      text += '\n';
    text += d.to_string();
  }
  return text;
}

/// TOML text, or null for a key that is not set.
std::optional<std::string_view> value_of(const std::string& text) {
  if (text.empty())
    return {};
  return text;
}

void write_changes(ctl::json_writer& out, const char* member,
                   const std::vector<config::changed_key>& changes) {
  out.array(member, [&] {
    for (const auto& c : changes)
      out.object([&] {
        out.field("key", c.key);
        out.field("from", value_of(c.from));
        out.field("to", value_of(c.to));
      });
  });
}

void write_names(ctl::json_writer& out, const char* member,
                 const std::vector<std::string>& names) {
  out.array(member, [&] {
    for (const auto& name : names)
      out.value(name);
  });
}

/// "uid=0 pid=12 request=set", for the log.
std::string who(const change_wanted& wish) {
  return fmt::format("uid={} pid={} request={}", wish.peer.uid, wish.peer.pid,
                     to_string(wish.request.what));
}

/// The names of sources that come from run-time changes.
std::vector<std::string> added_names(const config::runtime_changes& changes) {
  std::vector<std::string> names;
  for (const auto& lines : changes.added_sources)
    if (const auto parsed = config::parse("[[source]]\n" + lines, "source"))
      for (const auto& s : parsed->config.sources)
        names.push_back(s.address.to_string());
  return names;
}

/// What `changes` are about, as `config::changed_keys` calls it.
std::vector<std::string> names_of(const config::runtime_changes& changes) {
  std::set<std::string> names{changes.unset};
  for (const auto& [key, value] : changes.set)
    names.insert(key);
  for (const auto& source : added_names(changes))
    names.insert("source " + source);
  for (const auto& source : changes.removed_sources)
    names.insert("source " + source);
  for (const auto& [source, lines] : changes.modified_sources)
    names.insert("source " + source);
  return {names.begin(), names.end()};
}

std::string_view name_of(config::source_mode mode) {
  switch (mode) {
    case config::source_mode::server:
      return "server";
    case config::source_mode::pool:
      return "pool";
    case config::source_mode::nts:
      return "nts";
    case config::source_mode::nts_pool:
      return "nts-pool";
  }
  return "server";
}

/// What stands in the entry of a source, on one line.
std::string settings_of(const config::source_config& source) {
  config::daemon_config only;
  only.sources.push_back(source);
  const auto changes = config::changed_keys({}, only);
  return changes.empty() ? std::string{} : changes.front().to;
}

/// Writes the file of persistent changes.
platform::result<void> write_changes(const std::filesystem::path& path,
                                     const config::runtime_changes& changes) {
  const auto text = config::to_toml(changes);
  return platform::write_private_file(path, std::as_bytes(std::span{text}));
}

constexpr auto no_place
  = "there is no place to keep changes in: set [control] runtime-path";

} // namespace

config_manager::config_manager(caf::actor_config& cfg, runtime& rt,
                               config_manager_options options)
  : actor_base(cfg, rt, "config_manager", options.path.string()),
    options_(std::move(options)) {
}

config_manager::behavior_type config_manager::make_behavior() {
  return {
    [this](const wiring& w) { on_wiring(w); },
    [this](reload) { on_reload(); },
    [this](const change_wanted& wish) { return on_change(wish); },
  };
}

void config_manager::stopped() {
  peers_ = {};
}

void config_manager::on_wiring(const wiring& w) {
  const bool new_steering = w.steering != peers_.steering;
  peers_ = w;
  if (new_steering)
    tell_leap_list();
}

void config_manager::on_reload() {
  platform::readiness::reloading();
  if (const auto r = log::reopen(); !r)
    log::warning("log-not-reopened", "error=\"{}\"", r.error().text);
  send(peers_.recorder, reload{});
  auto loaded = load(*options_.pending);
  if (!loaded) {
    for (const auto& d : loaded.error())
      log::error("config-refused", "{}", d.to_string());
    log::error("config-kept", "the configuration in force stays as it was");
    platform::readiness::ready("configuration refused; the old one stays");
    return;
  }
  for (const auto& d : loaded->warnings)
    log::warning("config-warning", "{}", d.to_string());
  log_reload(*put_in_force(std::move(loaded->config)));
  platform::readiness::ready("configuration reloaded");
}

config_manager::loading
config_manager::load(const config::runtime_changes& changes) const {
  auto loaded = config::load(options_.path, options_.must_exist,
                             config::named_files::checked, changes);
  if (loaded)
    options_.adapt(loaded->config);
  return loaded;
}

config::shared_config
config_manager::put_in_force(config::daemon_config config) {
  auto before = std::exchange(
    options_.config,
    std::make_shared<const config::daemon_config>(std::move(config)));
  const auto change = config::difference(*before, *options_.config);
  for (const auto& key : change.needs_restart)
    log::warning("config-needs-restart", "key={} takes effect at next start",
                 key);
  change_log(before->observability);
  const config_changed message{options_.config};
  send(peers_.supervisor, message);
  send(peers_.steering, message);
  send(peers_.publisher, message);
  send(peers_.recorder, message);
  tell_leap_list();
  return before;
}

void config_manager::log_reload(const config::daemon_config& before) const {
  const auto change = config::difference(before, *options_.config);
  log::info("config-reloaded",
            "sources_added={} sources_removed={} servers_added={} "
            "servers_removed={} steering_changed={}",
            change.added_sources.size(), change.removed_sources.size(),
            change.added_servers.size(), change.removed_servers.size(),
            change.steering_changed);
}

void config_manager::change_log(
  const config::observability_config& before) const {
  const auto& wanted = options_.config->observability;
  // What the command line said holds until the level is changed.
  if (wanted.level != before.level)
    log::set_level(log_level_of(wanted.level));
  if (wanted.log_path == before.log_path)
    return;
  if (!wanted.log_path)
    return log::to_standard_error();
  if (const auto r = log::to_file(*wanted.log_path); !r)
    log::error("log-failed", "error=\"{}\"", r.error().text);
}

/// All that is asked is logged if it changes something, or is refused.
ctl::control_answer config_manager::on_change(const change_wanted& wish) {
  auto given = answer(wish);
  if (!given.problem || !ctl::needs_rights(wish.request.what))
    return given;
  if (const auto more = refusals_.pass(world().now().time_since_epoch()))
    log::info("config-change-refused", "{} why={} text=\"{}\" suppressed={}",
              who(wish), to_string(given.problem->why),
              ctl::printable(given.problem->text), *more);
  return given;
}

ctl::control_answer config_manager::answer(const change_wanted& wish) {
  using enum ctl::control_verb;
  switch (wish.request.what) {
    case get:
      return this->get(wish.request.key);
    case source_list:
      return list_sources();
    case ctl::control_verb::diff:
      return this->diff();
    case ctl::control_verb::set:
    case unset:
      return this->set(wish);
    case source_add:
    case source_modify:
    case source_remove:
    case online:
    case offline:
      return source_change(wish);
    case ctl::control_verb::reload:
      return reload_files(wish);
    case ctl::control_verb::persist:
      return this->persist();
    default:
      return refuse(ctl::control_refusal::unknown,
                    "this is not about the configuration");
  }
}

/// {"keys": [{"key", "value": TOML text or null, "at_runtime"}]}
ctl::control_answer config_manager::get(const std::string& key) const {
  const auto wanted = config::canonical_key(key);
  const auto all = config::keys(*options_.config);
  const auto is_wanted = [&](const config::key_value& k) {
    return key.empty() || k.key == wanted || k.key.starts_with(wanted + '.');
  };
  if (std::none_of(all.begin(), all.end(), is_wanted))
    return refuse(ctl::control_refusal::not_found,
                  "there is no key " + ctl::printable(key));
  return {ctl::json_object([&](ctl::json_writer& out) {
            out.array("keys", [&] {
              for (const auto& k : all)
                if (is_wanted(k))
                  out.object([&] {
                    out.field("key", k.key);
                    out.field("value", value_of(k.value));
                    out.field("at_runtime", k.at_runtime);
                  });
            });
          }),
          {},
          false};
}

/// {"sources": [{"source", "mode", "origin", "offline", "settings"}]}
ctl::control_answer config_manager::list_sources() const {
  auto changes = *options_.pending;
  if (const auto loaded = load({}))
    changes = config::joined(loaded->persistent, changes);
  const auto added = added_names(changes);
  return {ctl::json_object([&](ctl::json_writer& out) {
            out.array("sources", [&] {
              for (const auto& s : options_.config->sources)
                out.object([&] {
                  const auto name = s.address.to_string();
                  const bool is_added
                    = std::find(added.begin(), added.end(), name)
                      != added.end();
                  out.field("source", name);
                  out.field("mode", name_of(s.mode));
                  out.field("origin", is_added ? "runtime" : "file");
                  out.field("offline", s.offline);
                  out.field("settings", settings_of(s));
                });
            });
          }),
          {},
          false};
}

/// {"changes": [{"key", "from", "to"}]}, from the files to what is in force.
ctl::control_answer config_manager::diff() const {
  const auto files = load({});
  if (!files)
    return refuse(ctl::control_refusal::invalid, lines_of(files.error()));
  return {ctl::json_object([&](ctl::json_writer& out) {
            write_changes(
              out, "changes",
              config::changed_keys(files->config, *options_.config));
          }),
          {},
          false};
}

ctl::control_answer config_manager::set(const change_wanted& wish) {
  const auto& request = wish.request;
  const auto key = config::canonical_key(request.key);
  const auto all = config::keys(*options_.config);
  const auto known = std::find_if(all.begin(), all.end(),
                                  [&](const auto& k) { return k.key == key; });
  if (known != all.end() && !known->at_runtime && !request.persist)
    return refuse(ctl::control_refusal::not_now,
                  key
                    + " takes effect when the daemon starts: keep the change "
                      "for then with --persist");
  config::runtime_changes wanted;
  if (request.what == ctl::control_verb::set)
    wanted.set.emplace(key, request.value);
  else if (known == all.end())
    return refuse(ctl::control_refusal::not_found,
                  "there is no key " + ctl::printable(request.key));
  else
    wanted.unset.insert(key);
  return apply(wish, wanted);
}

ctl::control_answer config_manager::source_change(const change_wanted& wish) {
  using enum ctl::control_verb;
  const auto& request = wish.request;
  config::runtime_changes wanted;
  if (request.what == source_add) {
    wanted.added_sources.push_back(request.value);
    return apply(wish, wanted);
  }
  std::vector<std::string> names;
  if (request.source.empty()) {
    for (const auto& s : options_.config->sources)
      names.push_back(s.address.to_string());
  } else {
    auto found = config::find_source(*options_.config, request.source);
    if (!found)
      return refuse(ctl::control_refusal::not_found, std::move(found.error()));
    names.push_back(std::move(*found));
  }
  for (const auto& name : names) {
    if (request.what == source_remove)
      wanted.removed_sources.push_back(name);
    else
      wanted.modified_sources[name]
        = request.what == source_modify ? request.value
          : request.what == offline     ? "offline = true"
                                        : "offline = false";
  }
  return apply(wish, wanted);
}

/// All or nothing: the whole must be valid, and kept if it is to be kept.
ctl::control_answer
config_manager::apply(const change_wanted& wish,
                      const config::runtime_changes& wanted) {
  auto next = config::joined(*options_.pending, wanted);
  auto loaded = load(next);
  if (!loaded)
    return refuse(ctl::control_refusal::invalid, lines_of(loaded.error()));
  if (wish.request.persist) {
    if (!loaded->runtime_path)
      return refuse(ctl::control_refusal::failed, no_place);
    const auto written = write_changes(
      *loaded->runtime_path, config::joined(loaded->persistent, next));
    if (!written)
      return refuse(ctl::control_refusal::failed, written.error().text);
    next = {};
  }
  *options_.pending = std::move(next);
  const auto changes = config::changed_keys(*options_.config, loaded->config);
  const auto restart
    = config::difference(*options_.config, loaded->config).needs_restart;
  for (const auto& c : changes)
    log::info("config-changed", "{} key=\"{}\" from=\"{}\" to=\"{}\"",
              who(wish), ctl::printable(c.key), ctl::printable(c.from),
              ctl::printable(c.to));
  const auto before = put_in_force(std::move(loaded->config));
  if (wish.request.what == ctl::control_verb::reload)
    log_reload(*before);
  const auto pending = names_of(*options_.pending);
  return {ctl::json_object([&](ctl::json_writer& out) {
            write_changes(out, "changes", changes);
            write_names(out, "restart", restart);
            write_names(out, "pending", pending);
            out.field("persisted", pending.empty());
          }),
          {},
          false};
}

ctl::control_answer config_manager::reload_files(const change_wanted& wish) {
  if (wish.request.discard) {
    // The files alone, then: if they are not valid nothing is forgotten.
    const auto kept = std::exchange(*options_.pending, {});
    auto given = apply(wish, {});
    if (given.problem)
      *options_.pending = kept;
    return given;
  }
  auto given = apply(wish, {});
  if (given.problem && !options_.pending->empty() && load({}))
    given.problem->text
      += "\nThe files are valid, but what was changed at run time does not fit "
         "them any more: `ntp-ctl reload --discard` forgets it.";
  return given;
}

/// {"kept": [{"key", "from", "to"}]}, from what the next start would have read.
ctl::control_answer config_manager::persist() {
  const auto loaded = load(*options_.pending);
  if (!loaded)
    return refuse(ctl::control_refusal::invalid, lines_of(loaded.error()));
  if (!loaded->runtime_path)
    return refuse(ctl::control_refusal::failed, no_place);
  const auto files = load({});
  const auto written
    = write_changes(*loaded->runtime_path,
                    config::joined(loaded->persistent, *options_.pending));
  if (!written)
    return refuse(ctl::control_refusal::failed, written.error().text);
  *options_.pending = {};
  return {ctl::json_object([&](ctl::json_writer& out) {
            write_changes(
              out, "kept",
              files ? config::changed_keys(files->config, loaded->config)
                    : std::vector<config::changed_key>{});
            out.field("persisted", true);
          }),
          {},
          false};
}

void config_manager::tell_leap_list() {
  std::shared_ptr<const ntp::leap_list> list;
  if (options_.config->leap_seconds_file)
    list = load_leap_list(*options_.config->leap_seconds_file,
                          std::chrono::duration_cast<std::chrono::seconds>(
                            world().clock().read().unix_time));
  send(peers_.steering, leap_list_changed{std::move(list)});
}

} // namespace concert::actors

#include "config/migration/migration.hpp"

#include "config/diagnostics.hpp"
#include "config/migration/chrony.hpp"
#include "config/migration/ntpd.hpp"
#include "config/migration/openntpd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace concert::config {

namespace {

struct dialect_words {
  dialect what;
  std::string_view name;
  std::string_view line_comments;
  plan (*read)(script&, std::string_view, std::string_view);
};

constexpr auto dialects = std::to_array<dialect_words>({
  {dialect::chrony, "chrony", "!;#%", &read_chrony},
  {dialect::ntpd, "ntpd", "#", &read_ntpd},
  {dialect::openntpd, "openntpd", "#", &read_openntpd},
});

const dialect_words& words_of(dialect d) {
  return dialects[static_cast<std::size_t>(d)];
}

/// Directives that only one of the dialects has.
constexpr auto tell_tales
  = std::to_array<std::pair<std::string_view, dialect>>({
    {"allow", dialect::chrony},
    {"bindcmdaddress", dialect::chrony},
    {"cmdport", dialect::chrony},
    {"confdir", dialect::chrony},
    {"deny", dialect::chrony},
    {"dumpdir", dialect::chrony},
    {"hwtimestamp", dialect::chrony},
    {"keyfile", dialect::chrony},
    {"leapseclist", dialect::chrony},
    {"leapsectz", dialect::chrony},
    {"local", dialect::chrony},
    {"log", dialect::chrony},
    {"logdir", dialect::chrony},
    {"makestep", dialect::chrony},
    {"maxupdateskew", dialect::chrony},
    {"minsources", dialect::chrony},
    {"ntsdumpdir", dialect::chrony},

    {"rtcsync", dialect::chrony},
    {"sourcedir", dialect::chrony},
    {"disable", dialect::ntpd},
    {"enable", dialect::ntpd},
    {"filegen", dialect::ntpd},
    {"fudge", dialect::ntpd},
    {"interface", dialect::ntpd},
    {"keys", dialect::ntpd},
    {"leapfile", dialect::ntpd},
    {"logconfig", dialect::ntpd},
    {"nts", dialect::ntpd},
    {"restrict", dialect::ntpd},
    {"statistics", dialect::ntpd},
    {"statsdir", dialect::ntpd},
    {"tinker", dialect::ntpd},
    {"tos", dialect::ntpd},
    {"trustedkey", dialect::ntpd},
    {"constraint", dialect::openntpd},
    {"constraints", dialect::openntpd},
    {"listen", dialect::openntpd},
    {"sensor", dialect::openntpd},
    {"servers", dialect::openntpd},
  });

} // namespace

std::string_view to_string(dialect d) {
  return words_of(d).name;
}

std::optional<dialect> dialect_of(std::string_view name) {
  for (const auto& known : dialects)
    if (name == known.name)
      return known.what;
  return std::nullopt;
}

std::optional<dialect> detect_dialect(std::string_view text,
                                      std::string_view name) {
  migration unused;
  const include_reader nothing;
  std::array<int, dialects.size()> found{};
  script{unused, nothing, "!;#%"}.read(text, name, [&](const directive& d) {
    for (const auto& [word, whose] : tell_tales)
      if (d.name == word)
        ++found[static_cast<std::size_t>(whose)];
  });
  const auto most = std::max_element(found.begin(), found.end());
  if (*most > 0)
    return dialects[static_cast<std::size_t>(most - found.begin())].what;
  if (name.find("chrony") != std::string_view::npos)
    return dialect::chrony;
  if (name.find("ntpd.conf") != std::string_view::npos)
    return dialect::openntpd;
  if (name.find("ntp") != std::string_view::npos)
    return dialect::ntpd;
  return std::nullopt;
}

std::string_view to_string(fate f) {
  switch (f) {
    case fate::carried_over:
      return "carried over";
    case fate::changed:
      return "changed";
    case fate::not_needed:
      return "not needed";
    case fate::lost:
      return "not carried over";
  }
  return "unknown";
}

std::string migration_note::to_string() const {
  return fmt::format("{}:{}: {}: `{}`{}{}", file, line, config::to_string(what),
                     directive, text.empty() ? "" : ": ", text);
}

std::size_t migration::count(fate what) const {
  return static_cast<std::size_t>(
    std::count_if(notes.begin(), notes.end(),
                  [&](const auto& note) { return note.what == what; }));
}

migration migrate(std::string_view text, dialect from, std::string_view name,
                  const include_reader& include) {
  migration result;
  result.from = from;
  const auto& words = words_of(from);
  script lines{result, include, words.line_comments};
  const plan found = words.read(lines, text, name);
  result.toml = found.toml(
    fmt::format("Made from {} ({}).", printable(name), words.name));
  auto parsed = parse(result.toml, "ntp.toml");
  if (parsed)
    result.warnings = std::move(parsed->warnings);
  else
    result.errors = std::move(parsed.error());
  return result;
}

} // namespace concert::config

#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// From the configuration of another time daemon to ours.
namespace concert::config {

/// Whose configuration a text is.
enum class dialect : std::uint8_t {
  chrony, ///< chrony.conf
  ntpd,   ///< ntp.conf of the classic ntpd and of ntpsec
  openntpd,
};

/// "chrony", "ntpd", "openntpd": as `--from` takes them.
std::string_view to_string(dialect d);
std::optional<dialect> dialect_of(std::string_view name);

/// Whose configuration `text` is, by its directives, then by the name of the
/// file; nothing when neither tells.
std::optional<dialect> detect_dialect(std::string_view text,
                                      std::string_view name);

/// What became of a directive.
enum class fate : std::uint8_t {
  carried_over, ///< means the same
  changed,      ///< means something near it, which the note tells
  not_needed,   ///< Concert does that anyway, or has nothing of the kind
  lost,         ///< could not be carried over; the note tells what to do
};
/// "carried over", "changed", "not needed", "not carried over".
std::string_view to_string(fate f);

/// What became of one directive, or of one of its options.
struct migration_note {
  std::string file;
  std::uint32_t line = 0; ///< from 1
  fate what = fate::carried_over;
  std::string directive; ///< as it stands there, cut and printable
  std::string text;      ///< why, or what to do instead; may be empty
  /// "chrony.conf:3: not carried over: `refclock PPS`: …".
  std::string to_string() const;
};

/// A file that a configuration includes.
struct included_file {
  std::string name;
  std::string text;
};

/// Gives the files that match a pattern such as "/etc/chrony/conf.d/*.conf", in
/// the order of their names. None where there are none, and where they cannot
/// be read.
using include_reader
  = std::function<std::vector<included_file>(std::string_view pattern)>;

/// Reads them from the disk: regular files of at most `largest_migrated`
/// octets, at most 100 a pattern.
std::vector<included_file> read_included(std::string_view pattern);

/// The text of a regular file of at most `largest_migrated` octets.
std::optional<std::string> read_migrated(const std::filesystem::path& path);

/// Text of a configuration, with all that it includes, is read up to here;
/// octets.
constexpr std::size_t largest_migrated = 1024 * 1024;

/// Our configuration out of another daemon's.
struct migration {
  dialect from = dialect::chrony;
  std::string toml;                  ///< valid, unless `errors` says otherwise
  std::vector<migration_note> notes; ///< in the order of the files
  std::vector<diagnostic> warnings;  ///< about `toml`, named "ntp.toml"
  std::vector<diagnostic> errors;    ///< why `toml` cannot be used
  /// How many notes say this.
  std::size_t count(fate what) const;
};

/// Translates `text`, which stands in a file of this `name`. Never fails: what
/// cannot be understood is noted as lost. Passwords and keys are not read.
migration migrate(std::string_view text, dialect from, std::string_view name,
                  const include_reader& include);

} // namespace concert::config

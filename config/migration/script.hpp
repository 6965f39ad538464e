#pragma once

#include "config/migration/migration.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concert::config {

/// One line of another daemon's configuration.
struct directive {
  std::string file;
  std::uint32_t line = 0;
  std::string name;               ///< in small letters
  std::vector<std::string> words; ///< what follows the name

  /// The word, or nothing beyond the last one.
  std::string_view word(std::size_t i) const {
    return i < words.size() ? std::string_view{words[i]} : std::string_view{};
  }
  std::string text() const;
};

/// Reads lines of directives, those of included files too, and collects what
/// became of them.
class script {
public:
  using handler = std::function<void(const directive&)>;

  /// A line whose first character is in `line_comments` is a comment; so is all
  /// after a word that begins with '#'.
  script(migration& result, const include_reader& include,
         std::string_view line_comments)
    : result_(&result),
      include_(include),
      line_comments_(line_comments) {}

  void read(std::string_view text, std::string_view name, const handler& use);
  /// Reads what matches `pattern` in the place of `d`.
  void include(const directive& d, std::string_view pattern,
               const handler& use);

  void note(const directive& d, fate what, std::string text = {});
  /// About `part` of a directive only, such as an option.
  void note_part(const directive& d, std::string_view part, fate what,
                 std::string text);

private:
  std::optional<directive> parse(std::string_view line) const;

  migration* result_;
  const include_reader& include_;
  std::string_view line_comments_;
  std::size_t octets_ = 0;
  std::size_t lines_ = 0;
  std::size_t depth_ = 0;
  std::size_t files_ = 0;
};

/// What the readers of all dialects have to say of a directive.
class directive_reader {
protected:
  explicit directive_reader(script& s) : script_(s) {}

  void carried(const directive& d, std::string text = {}) {
    script_.note(d, fate::carried_over, std::move(text));
  }
  void changed(const directive& d, std::string text) {
    script_.note(d, fate::changed, std::move(text));
  }
  void lost(const directive& d, std::string text) {
    script_.note(d, fate::lost, std::move(text));
  }
  void bad_value(const directive& d) {
    lost(d, "the value is none that Concert takes");
  }

  script& script_;
};

/// An option of a source without a key of ours.
struct foreign_option {
  std::string_view name;
  std::size_t values; ///< words that follow it
  fate what;
  std::string_view text;
};

std::optional<double> to_number(std::string_view text);
std::optional<std::int64_t> to_integer(std::string_view text);

} // namespace concert::config

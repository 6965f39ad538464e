#include "ctl/completion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace concert::ctl {

namespace {

/// What a value can be: one of `words`, or what a shell function gives.
struct completed_value {
  std::vector<std::string> words;
  bool file = false;
  std::string asked; ///< the command of ntp-ctl whose first column it is
};

struct completed_option {
  std::vector<std::string> short_names; ///< without their dashes
  std::vector<std::string> long_names;
  std::string description;
  bool has_value = false;
  completed_value value;

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& n : short_names)
      all.push_back('-' + n);
    for (const auto& n : long_names)
      all.push_back("--" + n);
    return all;
  }
};

/// One command; of all but the outermost the words before it are its `path`.
struct completed_command {
  std::string path; ///< "source add"
  std::vector<std::string> names;
  std::string description;
  std::vector<completed_option> options{};
  std::vector<completed_value> positionals{};
  std::vector<completed_command> commands{};
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

completed_value value_of(const CLI::Option& option) {
  // "FORM:{plain,json}", where the words are from the check of the value.
  const std::string type = option.get_type_name();
  const auto begin = type.find('{');
  const auto end = type.find('}');
  completed_value value;
  if (begin != std::string::npos && end != std::string::npos)
    value.words
      = split(std::string_view{type}.substr(begin + 1, end - begin - 1), ',');
  value.file = type.starts_with("FILE") || type.starts_with("PATH");
  if (option.get_name() == "SOURCE")
    value.asked = "source list";
  if (option.get_name() == "KEY")
    value.asked = "get";
  return value;
}

completed_command read(const CLI::App& app, const std::string& path) {
  completed_command result{.path = path,
                           .names = app.get_aliases(),
                           .description = app.get_description()};
  result.names.insert(result.names.begin(), app.get_name());
  for (const CLI::Option* o : app.get_options()) {
    if (o->nonpositional())
      result.options.push_back({o->get_snames(), o->get_lnames(),
                                o->get_description(),
                                o->get_items_expected_max() > 0, value_of(*o)});
    else
      result.positionals.push_back(value_of(*o));
  }
  for (const CLI::App* sub : app.get_subcommands({}))
    result.commands.push_back(
      read(*sub, path + (path.empty() ? "" : " ") + sub->get_name()));
  return result;
}

/// Calls `act` for the command and all under it.
void for_each(const completed_command& command, const auto& act) {
  act(command);
  for (const auto& sub : command.commands)
    for_each(sub, act);
}

/// Text in single quotes, as bash and zsh read it.
std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text)
    result += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return result + '\'';
}

/// The same for fish.
std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text)
    result += (c == '\'' || c == '\\' ? "\\" : "") + std::string{c};
  return result + '\'';
}

/// Where an option is known: everywhere if it is the program's own.
std::string place(const completed_command& command) {
  return command.path.empty() ? "*" : "'" + command.path + "'";
}

/// "source:add", "*:-c": what the loop over the words before compares with.
std::vector<std::string> patterns(const completed_command& command,
                                  const std::vector<std::string>& words) {
  std::vector<std::string> result;
  result.reserve(words.size());
  for (const auto& word : words)
    result.push_back(place(command) + ':' + word);
  return result;
}

/// bash and zsh: which command the words before are, and how many of its
/// positional arguments stand there already.
std::string walk(const completed_command& root) {
  std::string text = "    case \"$at:$word\" in\n";
  for_each(root, [&](const completed_command& c) {
    for (const auto& o : c.options)
      if (o.has_value)
        text += fmt::format("      {}) ((++i)) ;;\n",
                            fmt::join(patterns(c, o.names()), "|"));
    for (const auto& sub : c.commands) {
      std::vector<std::string> words;
      for (const auto& name : sub.names)
        words.push_back(fmt::format("'{}:{}'", c.path, name));
      text += fmt::format("      {}) at='{}' ;;\n", fmt::join(words, "|"),
                          sub.path);
    }
  });
  return text + "      *:-*) ;;\n      *) ((++position)) ;;\n    esac\n";
}

/// bash and zsh: what completes a value; the functions are those of
/// `functions`.
std::string value_action(const completed_value& value) {
  if (!value.words.empty())
    return fmt::format("_ntp_ctl_words {}", fmt::join(value.words, " "));
  if (value.file)
    return "_ntp_ctl_files";
  if (!value.asked.empty())
    return "_ntp_ctl_asked " + value.asked;
  return ":";
}

std::string values(const completed_command& root) {
  std::string text = "  case \"$at:$previous\" in\n";
  for_each(root, [&](const completed_command& c) {
    for (const auto& o : c.options)
      if (o.has_value)
        text += fmt::format("    {}) {}; return ;;\n",
                            fmt::join(patterns(c, o.names()), "|"),
                            value_action(o.value));
  });
  return text + "  esac\n";
}

/// bash and zsh: `entry` makes a word and its description into an argument of
/// the function that offers them.
std::string offers(const completed_command& root, const auto& entry) {
  std::string options = "    case $at in\n";
  std::string words = "  case \"$at:$position\" in\n";
  for_each(root, [&](const completed_command& c) {
    std::string known;
    const auto add = [&](const completed_command& from) {
      for (const auto& o : from.options)
        for (const auto& name : o.names())
          known += ' ' + entry(name, o.description);
    };
    add(c);
    if (&c != &root)
      add(root);
    options += fmt::format("      '{}') _ntp_ctl_offer{} ;;\n", c.path, known);
    if (!c.commands.empty()) {
      words += fmt::format("    '{}:0') _ntp_ctl_offer", c.path);
      for (const auto& sub : c.commands)
        for (const auto& name : sub.names)
          words += ' ' + entry(name, sub.description);
      words += " ;;\n";
    }
    for (std::size_t i = 0; i < c.positionals.size(); ++i)
      words += fmt::format("    '{}:{}') {} ;;\n", c.path, i,
                           value_action(c.positionals[i]));
  });
  return "  if [[ $current == -* ]]; then\n" + options
         + "    esac\n    return\n" + "  fi\n" + words + "  esac\n";
}

std::string bash(const completed_command& root) {
  return R"(# bash completion for ntp-ctl

# Not by compgen -W: that runs what a word has in $( ).
_ntp_ctl_offer() {
  local word
  for word; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
}
_ntp_ctl_words() { _ntp_ctl_offer "$@"; }
_ntp_ctl_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
# Names without the usual port, as a colon ends a word; none that a shell would
# take for more than a word.
_ntp_ctl_asked() {
  local names
  mapfile -t names < <(ntp-ctl -f csv "$@" 2>/dev/null \
    | sed -e 1d -e 's/,.*//' -e 's/:123$//' -e 's/:4460$//' \
      -e '/[^][A-Za-z0-9._:%-]/d')
  _ntp_ctl_offer "${names[@]}"
}

_ntp_ctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local at='' word position=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
)" + walk(root)
         + "  done\n" + values(root)
         + offers(root, [](const std::string& word,
                           const std::string&) { return word; })
         + "}\ncomplete -F _ntp_ctl ntp-ctl\n";
}

std::string zsh(const completed_command& root) {
  return R"zsh(#compdef ntp-ctl

_ntp_ctl_offer() {
  local -a offered
  offered=("$@")
  _describe ntp-ctl offered
}
_ntp_ctl_words() { compadd -- "$@"; }
_ntp_ctl_files() { _files; }
_ntp_ctl_asked() {
  compadd -- ${(f)"$(ntp-ctl -f csv "$@" 2>/dev/null \
    | sed -e 1d -e 's/,.*//' -e 's/:123$//' -e 's/:4460$//')"}
}

_ntp_ctl() {
  local current=$words[CURRENT] previous=$words[CURRENT-1]
  local at='' word position=0 i
  for ((i = 2; i < CURRENT; ++i)); do
    word=$words[i]
)zsh" + walk(root)
         + "  done\n" + values(root)
         + offers(root,
                  [](const std::string& word, const std::string& description) {
                    return shell_quoted(word + ':' + description);
                  })
         + R"zsh(}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _ntp_ctl "$@"
else
  compdef _ntp_ctl ntp-ctl
fi
)zsh";
}

std::string fish_walk(const completed_command& root) {
  std::string text;
  for_each(root, [&](const completed_command& c) {
    const std::string at = c.path.empty() ? "*" : c.path;
    for (const auto& o : c.options)
      for (const auto& name :
           o.has_value ? o.names() : std::vector<std::string>{})
        text += fmt::format("            case '{}:{}'\n                set "
                            "skip 1\n",
                            at, name);
    for (const auto& sub : c.commands)
      for (const auto& name : sub.names)
        text += fmt::format("            case '{}:{}'\n                set at "
                            "'{}'\n",
                            c.path, name, sub.path);
  });
  return text;
}

std::string fish_value(const completed_value& value) {
  if (!value.words.empty())
    return fmt::format(" -a '{}'", fmt::join(value.words, " "));
  if (value.file)
    return " -F";
  if (!value.asked.empty())
    return fmt::format(" -a '(__ntp_ctl_asked {})'", value.asked);
  return {};
}

std::string fish_option(const completed_option& o) {
  std::string text;
  for (const auto& name : o.short_names)
    text += " -s " + name;
  for (const auto& name : o.long_names)
    text += " -l " + name;
  if (o.has_value)
    text += (o.value.file ? " -r" : " -x") + fish_value(o.value);
  return text + " -d " + fish_quoted(o.description);
}

std::string fish(const completed_command& root) {
  std::string text = R"(# fish completion for ntp-ctl

# Whether the words before are a command and so many of its arguments.
function __ntp_ctl_at
    set -l at ''
    set -l position 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at:$word"
)" + fish_walk(root) + R"(            case '*:-*'
            case '*'
                set position (math $position + 1)
        end
    end
    string match -q -- $argv[1] "$at:$position"
end

function __ntp_ctl_asked
    ntp-ctl -f csv $argv 2>/dev/null | string replace -r ',.*' '' \
        | string replace -r ':(123|4460)$' '' | tail -n +2
end

complete -c ntp-ctl -f
)";
  for_each(root, [&](const completed_command& c) {
    const auto where = [&](std::string_view position) {
      return fmt::format("complete -c ntp-ctl -n \"__ntp_ctl_at '{}:{}'\"",
                         c.path, position);
    };
    for (const auto& o : c.options)
      text += (&c == &root ? "complete -c ntp-ctl" : where("*"))
              + fish_option(o) + '\n';
    for (const auto& sub : c.commands)
      text
        += fmt::format("{} -a '{}' -d {}\n", where("0"),
                       fmt::join(sub.names, " "), fish_quoted(sub.description));
    for (std::size_t i = 0; i < c.positionals.size(); ++i)
      if (const auto value = fish_value(c.positionals[i]); !value.empty())
        text += where(std::to_string(i)) + value + '\n';
  });
  return text;
}

} // namespace

std::string completion(const CLI::App& app, std::string_view shell) {
  const completed_command root = read(app, "");
  if (shell == "fish")
    return fish(root);
  return shell == "zsh" ? zsh(root) : bash(root);
}

} // namespace concert::ctl

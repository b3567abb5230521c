#include "base/text.h"
#include "cli/cli.h"

namespace fp::cli {
namespace {

struct Described {
  std::vector<std::string> longs;
  std::vector<std::string> shorts;
  std::string help;
  bool takes_value = false;
  bool file = false;
  std::vector<std::string> choices;
};

std::vector<Described> describe(const CLI::App& app) {
  std::vector<Described> all;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty() || option->get_positional()) continue;
    Described one;
    one.longs = option->get_lnames();
    one.shorts = option->get_snames();
    one.help = option->get_description();
    one.takes_value = option->get_items_expected_max() > 0;
    const std::string type = option->get_type_name().substr(0, option->get_type_name().find(':'));
    one.file = type == "FILE" || type == "DIR" || type == "SPEC";
    if (type.find('|') != std::string::npos) {
      for (const std::string_view choice : split(type, '|')) one.choices.emplace_back(choice);
    }
    all.push_back(std::move(one));
  }
  return all;
}

bool wants_path(const CLI::App& app) {
  const auto positional = app.get_options([](const CLI::Option* option) { return option->get_positional(); });
  return !positional.empty();
}

// Single quotes for the shells: 'it'\''s'.
std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string bash(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string function = "_" + name;
  for (char& c : function) c = c == '-' ? '_' : c;
  std::string cases;
  std::vector<std::string> words;
  for (const Described& one : describe(app)) {
    std::string pattern;
    for (const std::string& text : one.longs) words.push_back("--" + text);
    for (const std::string& text : one.longs) pattern += (pattern.empty() ? "--" : "|--") + text;
    for (const std::string& text : one.shorts) pattern += (pattern.empty() ? "-" : "|-") + text;
    if (!one.takes_value) continue;
    const std::string what = !one.choices.empty() ? "-W " + shell_quoted(join(one.choices)) : one.file ? "-f" : "";
    cases += "    " + pattern + ")\n";
    cases += what.empty() ? "      return\n"
                          : "      mapfile -t COMPREPLY < <(compgen " + what + " -- \"$cur\")\n      return\n";
    cases += "      ;;\n";
  }
  return "# bash completion for " + name + ", made from its options\n" + function +
         "() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n  case $prev in\n" + cases +
         "  esac\n  if [[ $cur == -* ]]; then\n    mapfile -t COMPREPLY < <(compgen -W " + shell_quoted(join(words)) +
         " -- \"$cur\")\n  else\n    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n  fi\n}\ncomplete -o filenames "
         "-F " +
         function + " " + name + "\n";
}

std::string zsh(const CLI::App& app) {
  // In a spec of _arguments, brackets and colons have a meaning of their own.
  const auto escaped = [](std::string_view text) {
    std::string result;
    for (const char c : text) {
      if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
      result += c;
    }
    return result;
  };
  std::string text = "#compdef " + app.get_name() + "\n# zsh completion, made from the options\n_arguments -s \\\n";
  for (const Described& one : describe(app)) {
    std::string value;
    if (one.takes_value) {
      value = !one.choices.empty() ? ":value:(" + join(one.choices) + ")" : one.file ? ":file:_files" : ":value:";
    }
    const std::string help = "[" + escaped(one.help) + "]";
    for (const std::string& name : one.longs) {
      text += "  " + shell_quoted("--" + name + (one.takes_value ? "=" : "") + help + value) + " \\\n";
    }
    for (const std::string& name : one.shorts) text += "  " + shell_quoted("-" + name + help + value) + " \\\n";
  }
  return text + (wants_path(app) ? "  '*:file:_files'\n" : "  '*: :'\n");
}

std::string fish(const CLI::App& app) {
  std::string text = "# fish completion for " + app.get_name() + ", made from its options\n";
  if (!wants_path(app)) text += "complete -c " + app.get_name() + " -f\n";
  for (const Described& one : describe(app)) {
    text += "complete -c " + app.get_name();
    for (const std::string& name : one.longs) text += " -l " + name;
    for (const std::string& name : one.shorts) text += " -s " + name;
    if (one.takes_value) text += one.file ? " -r -F" : " -x";
    if (!one.choices.empty()) text += " -a " + shell_quoted(join(one.choices));
    text += " -d " + shell_quoted(one.help) + "\n";
  }
  return text;
}

}  // namespace

std::string completions(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return zsh(app);
  if (shell == "fish") return fish(app);
  if (shell != "list") return {};
  std::string names;
  for (const Described& one : describe(app)) {
    for (const std::string& name : one.longs) names += "--" + name + "\n";
  }
  return names;
}

}  // namespace fp::cli

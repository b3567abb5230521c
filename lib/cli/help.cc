#include <algorithm>

#include "base/text.h"
#include "cli/cli.h"

namespace fp::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 30;  // where descriptions begin

// Appends `text` word by word, `column` being where the line stands; further lines begin at `indent`.
void append_wrapped(std::string& out, std::string_view text, std::size_t column, std::size_t indent) {
  bool first = true;
  for (const std::string_view word : split(text, ' ')) {
    if (!first && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
      first = true;
    }
    if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

// The type as it was given, without what CLI11 adds about checks.
std::string type_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

void append_option(std::string& out, const CLI::Option& option) {
  std::string names = "  ";
  if (option.get_positional()) {
    names += type_of(option);
  } else {
    const auto& shorts = option.get_snames();
    names += shorts.empty() ? "    " : "-" + shorts.front() + ", ";
    names += "--" + option.get_lnames().front();
    if (option.get_items_expected_max() > 0) names += " " + type_of(option);
  }
  out += names;
  std::string text = option.get_description();
  const std::string& standard = option.get_default_str();
  if (!standard.empty() && option.get_items_expected_max() > 0) text += " [" + standard + "]";
  if (names.size() + 2 > kColumn) {
    out += "\n" + std::string(kColumn, ' ');
  } else {
    out += std::string(kColumn - names.size(), ' ');
  }
  append_wrapped(out, text, kColumn, kColumn);
}

class Help final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string /*name*/, CLI::AppFormatMode /*mode*/) const override {
    std::string usage = "Usage: " + app->get_name() + " [OPTIONS]";
    std::string positionals;
    std::string own;
    std::string common;
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_group().empty()) continue;
      if (option->get_positional()) {
        usage += option->get_required() ? " " + type_of(*option) : " [" + type_of(*option) + "]";
        append_option(positionals, *option);
      } else {
        append_option(option->get_group() == "Common" ? common : own, *option);
      }
    }
    std::string text = usage + "\n\n";
    // The first line is prose and is wrapped; examples stand as they are.
    const std::string description = app->get_description();
    const auto end = description.find('\n');
    append_wrapped(text, description.substr(0, end), 0, 0);
    if (end != std::string::npos) text += description.substr(end + 1) + "\n";
    if (!positionals.empty()) text += "\n" + positionals;
    return text + "\nOptions:\n" + own + "\nIn every tool:\n" + common + "\nSee " + app->get_name() +
           "(1) and framepipe(7).\n";
  }
};

}  // namespace

void use_our_help(CLI::App& app) { app.formatter(std::make_shared<Help>()); }

}  // namespace fp::cli

#include "uvcsim/control.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/text.h"

namespace fp::rig {
namespace {

constexpr std::array<std::string_view, kActions> kNames = {"drop", "err",   "trunc",   "corrupt", "empty",  "notables",
                                                           "pad",  "stall", "nospace", "freeze",  "unplug", "quit"};
constexpr double kMostAmount = 1'000'000;
constexpr std::size_t kMostLineBytes = 4096;

}  // namespace

std::string_view name_of(Action action) { return kNames[static_cast<std::size_t>(action)]; }

Result<Command> parse_command(std::string_view line) {
  const auto words = split(trim(line), ' ');
  Command command;
  if (words.size() > 2) return malformed("more than a word and a number");
  if (words.size() == 2) {
    const auto amount = parse_double(words[1]);
    if (!amount || *amount < 0 || *amount > kMostAmount) return malformed("no number from 0 to 1000000");
    command.amount = *amount;
  }
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != words[0]) continue;
    command.action = static_cast<Action>(i);
    return command;
  }
  return malformed("no such command");
}

Result<ControlFifo> ControlFifo::open(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) return fail(io_error("mkfifo " + path));
  // Open for writing, too: the FIFO never ends when a writer goes.
  Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail(io_error("open " + path));
  return ControlFifo(std::move(fd));
}

std::vector<std::string> ControlFifo::read_lines() {
  std::array<char, kMostLineBytes> bytes{};
  const ssize_t count = ::read(fd_.get(), bytes.data(), bytes.size());
  if (count > 0) rest_.append(bytes.data(), static_cast<std::size_t>(count));
  std::vector<std::string> lines;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
    if (end > 0) lines.push_back(rest_.substr(0, end));
    rest_.erase(0, end + 1);
  }
  if (rest_.size() > kMostLineBytes) rest_.clear();
  return lines;
}

}  // namespace fp::rig

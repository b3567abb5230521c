// frame-play: recorded frames at the pace at which they were recorded.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "base/text.h"
#include "cli/cli.h"
#include "record/libav.h"
#include "record/player.h"
#include "tool/run.h"

namespace {

using namespace fp;

// Whether a regular file is written, or will be: then each frame goes into it, however slow the disk is.
bool writes_file(const std::string& spec) {
  const auto endpoint = parse_endpoint(spec, Direction::Out);
  if (!endpoint) return false;
  struct stat info {};
  switch (endpoint->kind) {
    case Endpoint::Kind::Standard:
      return ::fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode);
    case Endpoint::Kind::Fd:
      return ::fstat(endpoint->fd, &info) == 0 && S_ISREG(info.st_mode);
    case Endpoint::Kind::Path:
      return ::stat(endpoint->address.c_str(), &info) != 0 || S_ISREG(info.st_mode);
    default:
      return false;
  }
}

// The output is opened for writing, and emptied: it must not be one of the recordings.
void refuse_recordings(const std::string& spec, const std::vector<record::Recording>& recordings) {
  const auto endpoint = parse_endpoint(spec, Direction::Out);
  struct stat written {};
  if (!endpoint || endpoint->kind != Endpoint::Kind::Path || ::stat(endpoint->address.c_str(), &written) != 0) return;
  for (const record::Recording& recording : recordings) {
    struct stat read {};
    if (::stat(recording.path.c_str(), &read) != 0) continue;
    if (read.st_dev == written.st_dev && read.st_ino == written.st_ino) {
      throw Failure{Exit::Usage, "--output " + spec + ": is a recording that is to be played: name another file"};
    }
  }
}

// "1234 frames, at 2026-11-21 14:03:59 UTC".
std::string describe(const record::Player& player) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(player.position().time_since_epoch()).count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%F %T UTC", &parts);
  return std::to_string(player.given()) + " frames, at " + text.data();
}

Exit play(const std::vector<std::string>& names, record::Player::Options options, cli::Common common) {
  const cli::StopSignal stop;
  const SystemClock clock;
  auto recordings = record::find_recordings(names, options.foreign);
  if (!recordings) throw failure_of(recordings.error());
  refuse_recordings(common.output, *recordings);
  options.max_frame_bytes = common.max_frame_bytes;
  auto player = record::Player::open(std::move(*recordings), options, clock, cli::reporter());
  if (!player) throw failure_of(player.error());
  common.every_frame = common.every_frame || options.speed <= 0 || writes_file(common.output);
  const auto output = tool::open_output(common, {"frame-play", /*source=*/true});
  tool::Steps steps;
  steps.status = [&] { return describe(*player); };
  return tool::run(*player, *output, stop, common, clock, steps);
}

void add_moment(CLI::App& app, const std::string& name, std::string& text, const std::string& help) {
  app.add_option(name, text, help)->type_name("TIME");
}

std::optional<record::Moment> moment(const std::string& option, const std::string& text, bool local) {
  if (text.empty()) return std::nullopt;
  const auto parsed = record::parse_moment(text, local);
  if (!parsed) {
    throw Failure{Exit::Usage, option + ": '" + printable(text) +
                                   "' is no time: write 2026-11-21T14:03:59, +10m (after the first frame), or seconds "
                                   "since the epoch"};
  }
  return parsed;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Write recorded frames to standard output, at the pace at which they were recorded.\n\n"
      "frame-play /srv/rec | mjpeg-serve                                 all of it, in every browser\n"
      "frame-play --speed max --from 2026-11-21T14:00 --to 2026-11-21T14:05 /srv/rec > some.mjpeg",
      "frame-play"};
  std::vector<std::string> names;
  std::string from;
  std::string to;
  bool local = false;
  record::Player::Options options;
  options.foreign = record::libav_blocks();
  cli::Common common;
  app.add_option("RECORDING", names, "Files, or folders of frame-record")->type_name("RECORDING...")->required();
  const auto read_speed = [&options](const std::string& text) {
    const auto number = parse_double(text);
    if (text != "max" && (!number || *number < 0.01 || *number > 1000)) {
      throw CLI::ValidationError("--speed", "'" + text + "' is no number from 0.01 to 1000, and not max");
    }
    options.speed = number.value_or(0);
  };
  app.add_option_function<std::string>("--speed", read_speed,
                                       "So many times as fast as it was; max: as fast as the reader takes them")
      ->type_name("N|max")
      ->default_str("1");
  add_moment(app, "--from", from, "Begin with the first frame captured then or later: 2026-11-21T14:03, +10m");
  add_moment(app, "--to", to, "End before the first frame captured then or later");
  app.add_flag("--local", local, "Times without a zone are in the zone of this machine instead of UTC");
  app.add_flag("--loop", options.loop, "Begin again at the end");
  cli::add_duration(app, "--max-gap", options.max_gap, "Shorten longer gaps between two files to this",
                    std::chrono::milliseconds(0), std::chrono::hours(24));
  app.add_flag("--now", options.now, "New X-Timestamp and X-Sequence, as if the frames came from a camera now");
  cli::add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Skip frames larger than this", 1024, 1u << 30);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("frame-play", [&] {
    options.from = moment("--from", from, local);
    options.to = moment("--to", to, local);
    return play(names, options, common);
  });
}

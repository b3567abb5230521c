// frame-convert: frames of another size, quality, side up.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"
#include "cli/cli.h"
#include "frame-convert/conversion.h"
#include "tool/run.h"

namespace {

using namespace fp;

struct Options {
  int width_px = 0;
  int height_px = 0;
  int quality_percent = jpeg::Converter::kDefaultQuality;
  bool quality_asked = false;
  std::string rotate = "0";
  std::string flip = "none";
  std::optional<jpeg::Rect> crop;
  bool gray = false;
  std::string text;
  std::string text_at = "bottom-left";
  bool adaptive = false;
  int min_quality_percent = 30;
  int max_quality_percent = 90;
  double target_fps = 0;
};

// "640x480+16+32".
std::optional<jpeg::Rect> parse_crop(std::string_view text) {
  const auto parts = split(text, '+');
  if (parts.size() != 3) return std::nullopt;
  const auto sides = split(parts[0], 'x');
  if (sides.size() != 2) return std::nullopt;
  const auto width = parse_integer<int>(sides[0]);
  const auto height = parse_integer<int>(sides[1]);
  const auto x = parse_integer<int>(parts[1]);
  const auto y = parse_integer<int>(parts[2]);
  if (!width || !height || !x || !y) return std::nullopt;
  const auto side = [](int value) { return value >= 1 && value <= jpeg::kMaxSide; };
  const auto offset = [](int value) { return value >= 0 && value < jpeg::kMaxSide; };
  if (!side(*width) || !side(*height) || !offset(*x) || !offset(*y)) return std::nullopt;
  return jpeg::Rect{*x, *y, *width, *height};
}

void add_crop(CLI::App& app, std::optional<jpeg::Rect>& crop) {
  const auto read = [&crop](const std::string& text) {
    crop = parse_crop(text);
    if (!crop) {
      throw CLI::ValidationError(
          "--crop",
          "'" + text + "' is no cut: write 640x480+16+32, sides of 1 to 16384, the offset of its left top corner");
    }
  };
  app.add_option_function<std::string>("--crop", read, "Cut this out of each frame, before all else")
      ->type_name("WxH+X+Y");
}

jpeg::Corner corner_of(const std::string& name) {
  if (name == "top-left") return jpeg::Corner::TopLeft;
  if (name == "top-right") return jpeg::Corner::TopRight;
  return name == "bottom-right" ? jpeg::Corner::BottomRight : jpeg::Corner::BottomLeft;
}

jpeg::Wishes wishes_of(const Options& options) {
  jpeg::Wishes wishes;
  wishes.crop = options.crop;
  wishes.turn = jpeg::Turn::by_degrees(parse_integer<int>(options.rotate).value_or(0));
  if (options.flip == "h") wishes.turn = wishes.turn.then_flip_horizontally();
  if (options.flip == "v") wishes.turn = wishes.turn.then_flip_vertically();
  wishes.width_px = options.width_px;
  wishes.height_px = options.height_px;
  wishes.gray = options.gray;
  if (options.quality_asked) wishes.quality_percent = options.quality_percent;
  wishes.corner = corner_of(options.text_at);
  return wishes;
}

// What the options say together.
void check(const Options& options, const cli::Common& common) {
  if (options.width_px > 0 && options.height_px > 0 && !jpeg::within_limits({options.width_px, options.height_px})) {
    throw Failure{Exit::Usage, "--width and --height make more than 64 million pixels: ask for fewer"};
  }
  if (options.min_quality_percent > options.max_quality_percent) {
    throw Failure{Exit::Usage, "--min-quality " + std::to_string(options.min_quality_percent) +
                                   " is above --max-quality " + std::to_string(options.max_quality_percent) +
                                   ": exchange them"};
  }
  if (options.adaptive && common.every_frame) {
    throw Failure{Exit::Usage, "--adaptive keeps up with its reader, --every-frame waits for it: give one of them"};
  }
}

// Tells Adaptive what it must know, and logs what it decides.
class Follower {
 public:
  Follower(const Options& options, const Clock& clock)
      : adaptive_({options.min_quality_percent, options.max_quality_percent,
                   options.quality_asked ? options.quality_percent : options.max_quality_percent, options.target_fps},
                  clock) {}

  Adaptive::Level follow(const Input& input, const Output& output) {
    const Output::Figures figures = output.figures();
    if (figures.taken != taken_) adaptive_.taken(figures.take_time);
    taken_ = figures.taken;
    adaptive_.waiting(figures.taking);
    adaptive_.arrived(input.figures().frames);
    if (const auto change = adaptive_.decide()) spdlog::info("{}", *change);
    return adaptive_.level();
  }
  [[nodiscard]] std::string describe() const {
    const Adaptive::Level level = adaptive_.level();
    return fmt::format("quality {}{}", level.quality_percent, level.half ? " at half the size" : "");
  }

 private:
  Adaptive adaptive_;
  std::uint64_t taken_ = 0;
};

Exit convert(const Options& options, const cli::Common& common) {
  check(options, common);
  auto caption = CaptionFormat::parse(options.text);
  if (!caption) throw Failure{Exit::Usage, "--text: " + caption.error().text};

  const cli::StopSignal stop;
  const SystemClock clock;
  Input input = tool::open_input(common, clock);
  const auto output = tool::open_output(common, {"frame-convert", /*source=*/false}, &input, options.adaptive);
  Conversion conversion(wishes_of(options), std::move(*caption), clock);
  std::optional<Follower> follower;
  if (options.adaptive) follower.emplace(options, clock);

  tool::Steps steps;
  steps.frame = [&](FramePtr frame) {
    std::optional<Adaptive::Level> level;
    if (follower) level = follower->follow(input, *output);
    return conversion.apply(std::move(frame), level);
  };
  steps.status = [&] { return conversion.describe() + (follower ? ", " + follower->describe() : ""); };
  const Exit exit = tool::run(input, *output, stop, common, clock, steps);
  spdlog::info("{}", conversion.describe());
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Make frames smaller, lighter, gray, turn them, cut them, write on them.\n\n"
      "camgrab test | frame-convert --rotate 90 | mjpeg-serve             without loss\n"
      "camgrab test | frame-convert --width 640 --quality 60 | mjpeg-serve\n"
      "camgrab test | frame-convert --text '%F %T.%{ms}' | mjpeg-serve",
      "frame-convert"};
  Options options;
  cli::Common common;
  cli::add_number(app, "--width", options.width_px, "This wide; 0: as it comes, or follows from the height", 0,
                  jpeg::kMaxSide);
  cli::add_number(app, "--height", options.height_px, "This high; 0: as it comes, or follows from the width", 0,
                  jpeg::kMaxSide);
  auto* const quality = cli::add_number(app, "--quality", options.quality_percent,
                                        "Quality of what is encoded again; asking for one encodes all", 1, 100);
  cli::add_choice(app, "--rotate", options.rotate, "Turn clockwise, by degrees", {"0", "90", "180", "270"});
  cli::add_choice(app, "--flip", options.flip, "Exchange left and right, or top and bottom, after turning",
                  {"none", "h", "v"});
  add_crop(app, options.crop);
  app.add_flag("--gray", options.gray, "Take the colours away");
  auto* const text =
      app.add_option("--text", options.text,
                     "Write this on each frame: strftime(3) of its own time, %{ms}, %{sequence}, %{camera}")
          ->type_name("FORMAT");
  cli::add_choice(app, "--text-at", options.text_at, "Where to write it",
                  {"top-left", "top-right", "bottom-left", "bottom-right"})
      ->needs(text);
  auto* const adaptive = app.add_flag("--adaptive", options.adaptive,
                                      "Lower quality, then size, while the reader is too slow, and raise them again");
  cli::add_number(app, "--min-quality", options.min_quality_percent, "With --adaptive: not below this", 1, 100)
      ->needs(adaptive);
  cli::add_number(app, "--max-quality", options.max_quality_percent, "With --adaptive: not above this", 1, 100)
      ->needs(adaptive);
  cli::add_number(app, "-f,--target-fps", options.target_fps,
                  "With --adaptive: the rate to keep up; 0: that of the input, as it is measured", 0, 1000)
      ->needs(adaptive);
  cli::add_input(app, common);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  options.quality_asked = quality->count() > 0;
  cli::start(app, common);
  return cli::run("frame-convert", [&] { return convert(options, common); });
}

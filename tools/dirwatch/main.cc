// dirwatch: the newest JPEG that lands in a directory.
#include "cli/cli.h"
#include "source/directory.h"
#include "tool/run.h"

namespace {

using namespace fp;

Directory::Order parse_order(const std::string& text) {
  if (text == "mtime") return Directory::Order::Mtime;
  if (text == "name") return Directory::Order::Name;
  if (text == "timestamp") return Directory::Order::Timestamp;
  return Directory::Order::Arrival;
}

Exit watch(const std::string& path, const Directory::Options& options, const cli::Common& common) {
  const cli::StopSignal stop;
  const SystemClock clock;
  auto directory = Directory::open(path, options, clock, cli::reporter());
  if (!directory && (directory.error().sys == ENOENT || directory.error().sys == ENOTDIR)) {
    throw Failure{Exit::NoInput, "ERROR: " + path + " does not exist or is not a directory"};
  }
  if (!directory) throw failure_of(directory.error());
  const auto output = tool::open_output(common, {"dirwatch", /*source=*/true});
  tool::Steps steps;
  steps.waiting_for = "the first picture in " + path;
  return tool::run(*directory, *output, stop, common, clock, steps);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Write the newest valid JPEG that lands in a directory to standard output, again and again.\n\n"
      "dirwatch ./frames | mjpeg-serve            the newest picture in every browser\n"
      "dirwatch --keep 100 --png /var/spool/cam   PNG too; 100 old pictures are kept",
      "dirwatch"};
  std::string path;
  std::string order = "arrival";
  std::uint64_t keep = 0;
  Directory::Options options;
  cli::Common common;
  app.add_option("DIR", path, "The directory to watch")->type_name("DIR")->required();
  cli::add_number(app, "-f,--fps", options.fps, "At most so many frames a second; 0: no limit", 0, 1000);
  cli::add_choice(app, "--order", order,
                  "Which picture is the newest: the last to land, the latest modification time, the highest name, the "
                  "latest date or time in the name",
                  {"arrival", "mtime", "name", "timestamp"});
  app.add_flag("--png", options.png, "Take PNG files too, and turn them into JPEG");
  app.add_flag("--existing", options.existing, "Begin with what is in the directory already");
  auto* const keep_option =
      cli::add_number(app, "--keep", keep, "Delete pictures older than the one shown, but the newest N of them", 0,
                      1'000'000'000)
          ->default_str("");
  cli::add_duration(app, "--settle", options.settle,
                    "How long a file must have been left alone when its writer does not close it",
                    std::chrono::milliseconds(1), std::chrono::seconds(60));
  app.add_flag("--poll", options.poll,
               "Look at the directory again and again (for NFS, SMB and other network file systems)");
  cli::add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Skip files larger than this", 1024, 1u << 30);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  options.order = parse_order(order);
  options.every_frame = common.every_frame;
  options.max_frame_bytes = common.max_frame_bytes;
  if (keep_option->count() > 0) options.keep = keep;
  return cli::run("dirwatch", [&] { return watch(path, options, common); });
}

// uvcsim: a USB camera made in user space. The kernel's own uvcvideo makes a real /dev/videoN of it.
#include <poll.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "cli/cli.h"
#include "uvcsim/camera.h"
#include "uvcsim/control.h"
#include "uvcsim/usbip.h"

namespace {

using namespace fp;
using namespace fp::rig;
using namespace std::chrono_literals;

struct Options {
  bool bulk = false;
  int port = 0;
  std::string control;
  std::string serial = "FP0001";
  std::vector<std::string> pictures;
};

template <typename T>
T value_or_end(Result<T> result) {
  if (!result) throw failure_of(result.error());
  return std::move(*result);
}

// The camera, its cable while it is plugged in, and the time of its return while it is not.
class Rig {
 public:
  Rig(const Options& options, Camera camera, std::optional<ControlFifo> fifo)
      : port_(options.port), camera_(std::move(camera)), fifo_(std::move(fifo)) {}

  Exit run() {
    cable_.emplace(value_or_end(Cable::plug(port_, camera_)));
    spdlog::info("plugged into port {}", port_);
    while (!ended_ && !stop_.raised()) wait(serve());
    return Exit::Done;
  }

 private:
  // Does what is due, and says when to come back at the latest.
  SteadyTime serve() {
    const SteadyTime now = clock_.steady();
    if (!cable_ && back_at_ && now >= *back_at_) plug_again(now);
    SteadyTime until = now + 1s;
    if (!cable_) return std::min(until, back_at_.value_or(until));
    const auto next = cable_->serve(now);
    if (!next) {
      let_go(next.error());
      return now;
    }
    return std::min(until, *next);
  }

  void wait(SteadyTime until) {
    const auto left = std::max(until - clock_.steady(), SteadyTime::duration::zero());
    const timespec time{left / 1s, (left % 1s).count()};
    std::array<pollfd, 3> fds = {pollfd{stop_.fd(), POLLIN, 0}, pollfd{cable_ ? cable_->fd() : -1, POLLIN, 0},
                                 pollfd{fifo_ ? fifo_->fd() : -1, POLLIN, 0}};
    if (::ppoll(fds.data(), fds.size(), &time, nullptr) <= 0) return;
    if (fds[1].revents != 0) {
      if (auto got = cable_->receive(clock_.steady()); !got) let_go(got.error());
    }
    if (fds[2].revents == 0) return;
    for (const std::string& line : fifo_->read_lines()) obey(line);
  }

  void obey(const std::string& line) {
    const auto command = parse_command(line);
    if (!command) {
      spdlog::error("{}: {}", line, command.error().text);
      return;
    }
    spdlog::info("told to {}", line);
    if (command->action == Action::Quit) {
      ended_ = true;
    } else if (command->action == Action::Unplug) {
      cable_.reset();
      ended_ = command->amount == 0;
      const std::chrono::duration<double> away(command->amount);
      back_at_ = clock_.steady() + std::chrono::duration_cast<std::chrono::nanoseconds>(away);
      give_up_at_ = *back_at_ + 10s;
    } else {
      camera_.command(*command, clock_.steady());
    }
  }

  // The kernel needs a moment to free the port.
  void plug_again(SteadyTime now) {
    auto cable = Cable::plug(port_, camera_);
    if (cable) {
      cable_.emplace(std::move(*cable));
      back_at_.reset();
      spdlog::info("plugged in again");
    } else if (now < give_up_at_) {
      back_at_ = now + 50ms;
    } else {
      throw failure_of(cable.error());
    }
  }

  void let_go(const Error& error) {
    spdlog::info("the kernel has let go: {}", error.text);
    cable_.reset();
    ended_ = true;
  }

  const cli::StopSignal stop_;
  const SystemClock clock_;
  int port_;
  Camera camera_;
  std::optional<ControlFifo> fifo_;
  std::optional<Cable> cable_;  // borrows camera_
  std::optional<SteadyTime> back_at_;
  SteadyTime give_up_at_;
  bool ended_ = false;
};

Exit simulate(const Options& options) {
  CameraOptions camera{options.bulk, options.serial, {}};
  for (const std::string& each : options.pictures) camera.pictures.push_back(value_or_end(load_pictures(each)));
  std::optional<ControlFifo> fifo;
  if (!options.control.empty()) fifo.emplace(value_or_end(ControlFifo::open(options.control)));
  return Rig(options, Camera(std::move(camera)), std::move(fifo)).run();
}

// A serial number goes into a descriptor of 255 bytes, and udev makes a file name of it.
std::string check_serial(const std::string& text) {
  const auto fit = [](char c) { return c > ' ' && c < 127 && c != '/'; };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fit) ? ""
                                                                              : "'" + text + "' is no serial number";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Be a USB camera: it is plugged into this machine's vhci-hcd, and shows the JPEG files of a directory for each "
      "size.\n\nuvcsim --control camera.fifo 640x480=pictures/small 1280x720=pictures/large",
      "uvcsim"};
  Options options;
  cli::Common common;
  app.add_flag("-b,--bulk", options.bulk, "Send frames by bulk transfers, not by isochronous ones");
  cli::add_number(app, "-p,--port", options.port, "The port of vhci-hcd", 0, Cable::kPorts - 1);
  app.add_option("-c,--control", options.control,
                 "A FIFO with a command on each line: drop, err, trunc, corrupt, empty, notables, pad, stall, nospace "
                 "(and how often), freeze, unplug (and for how many seconds), quit")
      ->type_name("FIFO");
  app.add_option("-s,--serial", options.serial, "The serial number")
      ->check(check_serial)
      ->type_name("TEXT")
      ->capture_default_str();
  app.add_flag("-v,--verbose", common.verbose, "Say each control request");
  app.add_option("PICTURES", options.pictures, "A size, and the *.jpg for it")
      ->type_name("WxH=DIR")
      ->required()
      ->expected(1, 8);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("uvcsim", [&] { return simulate(options); });
}

// One V4L2 capture device: what it is, what it can, and its settings. Thin clothes around the ioctls of the kernel's
// "Video for Linux API" document.
#pragma once

#include <linux/videodev2.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace fp::v4l2 {

/// Repeated when a signal interrupts. Returns errno, or 0.
[[nodiscard]] int control(int fd, unsigned long request, void* argument);

/// "YUYV", with characters that cannot be printed as dots.
[[nodiscard]] std::string fourcc_text(std::uint32_t fourcc);

/// What a device says about itself, and sysfs about the USB device behind it.
struct Identity {
  std::string card;    ///< "Integrated Camera"
  std::string driver;  ///< "uvcvideo"
  std::string bus;     ///< "usb-0000:00:14.0-8": the socket that it is plugged into
  std::string serial;  ///< of the USB device, or empty
};

struct FrameSize {
  int width_px = 0, height_px = 0;  ///< or the largest, when step_px is not 0
  int least_width_px = 0, least_height_px = 0;
  int step_px = 0;
  std::vector<double> rates_fps;  ///< falling; of a range: the limits
};
struct Format {
  std::uint32_t fourcc = 0;
  std::string description;
  std::vector<FrameSize> sizes;
};
struct MenuItem {
  long long index = 0;
  std::string name;
};
struct Control {
  std::uint32_t id = 0;
  std::string name;   ///< in small letters with underscores, as v4l2-ctl writes it: "white_balance_automatic"
  std::string title;  ///< the driver's words
  std::string type;   ///< "integer", "boolean", "menu", "button", "bitmask"
  long long least = 0, most = 0, step = 1, standard = 0;
  std::optional<long long> value;  ///< nothing: cannot be read
  bool writable = true;
  std::vector<MenuItem> menu;
};
struct Setting {
  std::string name;
  std::string value;
};

/// What the driver agreed to.
struct Mode {
  std::uint32_t fourcc = 0;
  int width_px = 0, height_px = 0;
  int stride_bytes = 0;
  std::size_t image_bytes = 0;
  bool full_range = false;
  double fps = 0;  ///< 0: it does not say
};

/// Move-only; closes itself. One thread.
class Device {
 public:
  /// Errors: Io; Unsupported when `path` captures no video by streaming in one plane.
  [[nodiscard]] static Result<Device> open(const std::string& path);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }

  [[nodiscard]] std::vector<Format> formats(bool with_sizes) const;
  [[nodiscard]] std::vector<Control> controls() const;
  /// Sets a control by its name, or its number; a menu's item also by its words. Errors: Unsupported with what there is
  /// or what range it has; Io.
  [[nodiscard]] Result<Done> set(const Setting& setting);

  /// What the driver would make of it, without setting it.
  [[nodiscard]] std::optional<Mode> try_mode(std::uint32_t fourcc, int width_px, int height_px) const;
  /// `fps` 0: as it is. The driver may give another size, format or rate: look at what comes back.
  [[nodiscard]] Result<Mode> set_mode(std::uint32_t fourcc, int width_px, int height_px, double fps);
  /// Takes over the timings of what is plugged into a digital video input (HDMI); their size and rate.
  [[nodiscard]] std::optional<Mode> adopt_timings();
  /// Whether the input says that nothing comes in. Cameras with no such sense have a signal.
  [[nodiscard]] bool no_signal() const;
  /// Whether there are such events: webcams have none.
  [[nodiscard]] bool subscribe_source_changes() const;
  /// Takes the events that have come. Whether the source has changed.
  [[nodiscard]] bool source_changed() const;

 private:
  Device(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] std::vector<FrameSize> sizes(std::uint32_t fourcc) const;
  [[nodiscard]] std::vector<double> rates(std::uint32_t fourcc, int width_px, int height_px) const;
  [[nodiscard]] unsigned input() const;

  Fd fd_;
  std::string path_;
  Identity identity_;
};

/// The reason and its mend, for people: EBUSY, EACCES, ENOSPC of the USB bus.
[[nodiscard]] Error camera_error(const std::string& path, const char* doing, int sys);

/// "/dev/videoN" paths there are, by number.
[[nodiscard]] std::vector<std::string> device_paths();
/// The name under /dev/v4l/by-id that leads to `path`, or "".
[[nodiscard]] std::string by_id_name(const std::string& path);
/// What SOURCE means: a path as it is, N and videoN as /dev/videoN, another name as /dev/v4l/by-id/NAME.
[[nodiscard]] std::string path_of(const std::string& source);
/// Where the camera with this identity is now: on the same socket, else the only one with its serial number; nothing
/// when it is away. `serial_is_unique`: it was when the camera was opened.
[[nodiscard]] std::optional<std::string> find_again(const Identity& identity, bool serial_is_unique);
/// How many cameras have this serial number.
[[nodiscard]] int count_of_serial(const std::string& serial);

}  // namespace fp::v4l2

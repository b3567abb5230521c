#include "source/v4l2_device.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace fp::v4l2 {
namespace {

constexpr std::uint32_t kType = V4L2_BUF_TYPE_VIDEO_CAPTURE;
constexpr unsigned kMostEntries = 1024;  // of any list: a driver that never says "no more" ends there

// Text of the kernel's, which may lack its final NUL.
template <std::size_t kSize>
std::string text_of(const __u8 (&field)[kSize]) {
  const auto* const begin = reinterpret_cast<const char*>(field);
  return printable(std::string_view(begin, ::strnlen(begin, kSize)));
}

// As v4l2-ctl makes them: "White Balance, Automatic" is white_balance_automatic.
std::string slug(const std::string& title) {
  std::string name;
  for (const char c : title) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (name.ends_with('_')) name.pop_back();
  return lower(name);
}

double rate_of(const v4l2_fract& time_per_frame) {
  return time_per_frame.numerator == 0 ? 0 : static_cast<double>(time_per_frame.denominator) / time_per_frame.numerator;
}

const char* type_name(std::uint32_t type) {
  switch (type) {
    case V4L2_CTRL_TYPE_INTEGER:
      return "integer";
    case V4L2_CTRL_TYPE_BOOLEAN:
      return "boolean";
    case V4L2_CTRL_TYPE_MENU:
    case V4L2_CTRL_TYPE_INTEGER_MENU:
      return "menu";
    case V4L2_CTRL_TYPE_BUTTON:
      return "button";
    case V4L2_CTRL_TYPE_BITMASK:
      return "bitmask";
    default:
      return nullptr;  // strings, 64-bit and compound ones
  }
}

// A line of the USB device behind a video node.
std::string usb_attribute(const std::string& path, const char* name) {
  const auto slash = path.rfind('/');
  std::array<char, 4096> real{};
  if (::realpath(path.c_str(), real.data()) == nullptr) return {};
  const std::string node = std::string(real.data()).substr(std::string(real.data()).rfind('/') + 1);
  if (slash == std::string::npos || node.empty()) return {};
  // The node's device is the USB interface, whose parent is the USB device.
  const std::string file = "/sys/class/video4linux/" + node + "/device/../" + name;
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> line{};
  if (!fd) return {};
  const ssize_t got = ::read(fd.get(), line.data(), line.size());
  return got <= 0 ? std::string() : printable(trim(std::string_view(line.data(), static_cast<std::size_t>(got))));
}

Mode mode_of(const v4l2_format& format) {
  const v4l2_pix_format& pixels = format.fmt.pix;
  Mode mode;
  mode.fourcc = pixels.pixelformat;
  mode.width_px = static_cast<int>(pixels.width);
  mode.height_px = static_cast<int>(pixels.height);
  mode.stride_bytes = static_cast<int>(pixels.bytesperline);
  mode.image_bytes = pixels.sizeimage;
  // "default" means limited range for YCbCr, unless the colour space is JPEG's.
  mode.full_range = pixels.quantization == V4L2_QUANTIZATION_FULL_RANGE ||
                    (pixels.quantization == V4L2_QUANTIZATION_DEFAULT && pixels.colorspace == V4L2_COLORSPACE_JPEG);
  return mode;
}

v4l2_format format_of(std::uint32_t fourcc, int width_px, int height_px) {
  v4l2_format format{};
  format.type = kType;
  format.fmt.pix.width = static_cast<__u32>(width_px);
  format.fmt.pix.height = static_cast<__u32>(height_px);
  format.fmt.pix.pixelformat = fourcc;
  format.fmt.pix.field = V4L2_FIELD_ANY;
  return format;
}

}  // namespace

int control(int fd, unsigned long request, void* argument) {
  for (;;) {
    if (::ioctl(fd, request, argument) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

std::string fourcc_text(std::uint32_t fourcc) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    const auto c = static_cast<char>(fourcc >> (8 * i) & 0x7F);
    text += c > ' ' && c < 127 ? c : c == ' ' ? ' ' : '.';
  }
  return std::string(trim(text));
}

Error camera_error(const std::string& path, const char* doing, int sys) {
  Error error = io_error(path, sys);
  const char* mend = nullptr;
  switch (sys) {
    case ENOENT:
    case ENXIO:
      mend = "camgrab --list shows the cameras";
      break;
    case EACCES:
    case EPERM:
      mend = "is the user in group video?";
      break;
    case EBUSY:
      mend = "another program uses the camera: 'fuser -v' tells which";
      break;
    case ENOSPC:
      mend =
          "the USB bus has no bandwidth left: try another port or controller, --format mjpeg, a smaller --size or "
          "--fps";
      break;
    default:
      break;
  }
  if (doing != nullptr && sys != ENOENT && sys != EACCES) error.text += std::string(" at ") + doing;
  if (mend != nullptr) error.text += std::string(" (") + mend + ")";
  return error;
}

Result<Device> Device::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail(camera_error(path, nullptr, errno));
  struct stat info {};
  v4l2_capability capability{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISCHR(info.st_mode) || control(fd.get(), VIDIOC_QUERYCAP, &capability) != 0) {
    return fail({Error::Kind::Unsupported, 0, path + " is not a video device"});
  }
  const std::uint32_t can =
      (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps : capability.capabilities;
  if ((can & V4L2_CAP_VIDEO_CAPTURE) == 0) {
    const bool planes = (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0;
    return fail({Error::Kind::Unsupported, 0,
                 path + (planes ? " captures in several planes only, which is not supported"
                                : " captures no video (camgrab --list shows what does)")});
  }
  if ((can & V4L2_CAP_STREAMING) == 0) return fail({Error::Kind::Unsupported, 0, path + " cannot stream"});
  Device device(std::move(fd), path);
  device.identity_ = {text_of(capability.card), text_of(capability.driver), text_of(capability.bus_info),
                      usb_attribute(path, "serial")};
  return device;
}

std::vector<Format> Device::formats(bool with_sizes) const {
  std::vector<Format> all;
  for (unsigned i = 0; i < kMostEntries; ++i) {
    v4l2_fmtdesc entry{};
    entry.index = i;
    entry.type = kType;
    if (control(fd(), VIDIOC_ENUM_FMT, &entry) != 0) break;
    all.push_back({entry.pixelformat, text_of(entry.description), {}});
    if (with_sizes) all.back().sizes = sizes(entry.pixelformat);
  }
  return all;
}

std::vector<FrameSize> Device::sizes(std::uint32_t fourcc) const {
  std::vector<FrameSize> all;
  for (unsigned i = 0; i < kMostEntries; ++i) {
    v4l2_frmsizeenum entry{};
    entry.index = i;
    entry.pixel_format = fourcc;
    if (control(fd(), VIDIOC_ENUM_FRAMESIZES, &entry) != 0) break;
    FrameSize size;
    if (entry.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
      size.width_px = static_cast<int>(entry.discrete.width);
      size.height_px = static_cast<int>(entry.discrete.height);
    } else {
      size.width_px = static_cast<int>(entry.stepwise.max_width);
      size.height_px = static_cast<int>(entry.stepwise.max_height);
      size.least_width_px = static_cast<int>(entry.stepwise.min_width);
      size.least_height_px = static_cast<int>(entry.stepwise.min_height);
      size.step_px = std::max(1, static_cast<int>(entry.stepwise.step_width));
    }
    size.rates_fps = rates(fourcc, size.width_px, size.height_px);
    all.push_back(std::move(size));
    if (entry.type != V4L2_FRMSIZE_TYPE_DISCRETE) break;
  }
  return all;
}

std::vector<double> Device::rates(std::uint32_t fourcc, int width_px, int height_px) const {
  std::vector<double> all;
  for (unsigned i = 0; i < kMostEntries; ++i) {
    v4l2_frmivalenum entry{};
    entry.index = i;
    entry.pixel_format = fourcc;
    entry.width = static_cast<__u32>(width_px);
    entry.height = static_cast<__u32>(height_px);
    if (control(fd(), VIDIOC_ENUM_FRAMEINTERVALS, &entry) != 0) break;
    if (entry.type == V4L2_FRMIVAL_TYPE_DISCRETE) {
      all.push_back(rate_of(entry.discrete));
      continue;
    }
    all.push_back(rate_of(entry.stepwise.min));
    all.push_back(rate_of(entry.stepwise.max));
    break;
  }
  std::sort(all.begin(), all.end(), std::greater<>());
  return all;
}

std::vector<Control> Device::controls() const {
  std::vector<Control> all;
  v4l2_queryctrl query{};
  query.id = V4L2_CTRL_FLAG_NEXT_CTRL;
  while (all.size() < kMostEntries && control(fd(), VIDIOC_QUERYCTRL, &query) == 0) {
    const std::uint32_t id = query.id;
    const char* const type = type_name(query.type);
    if (type != nullptr && (query.flags & V4L2_CTRL_FLAG_DISABLED) == 0) {
      Control one;
      one.id = id;
      one.title = text_of(query.name);
      one.name = slug(one.title);
      one.type = type;
      one.least = query.minimum;
      one.most = query.maximum;
      one.step = query.step;
      one.standard = query.default_value;
      one.writable = (query.flags & (V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_GRABBED)) == 0;
      v4l2_control value{};
      value.id = id;
      if (query.type != V4L2_CTRL_TYPE_BUTTON && control(fd(), VIDIOC_G_CTRL, &value) == 0) one.value = value.value;
      for (long long i = one.least; one.type == "menu" && i <= one.most && i < one.least + kMostEntries; ++i) {
        v4l2_querymenu item{};
        item.id = id;
        item.index = static_cast<__u32>(i);
        if (control(fd(), VIDIOC_QUERYMENU, &item) != 0) continue;
        one.menu.push_back({i, query.type == V4L2_CTRL_TYPE_MENU ? text_of(item.name) : std::to_string(item.value)});
      }
      all.push_back(std::move(one));
    }
    query = {};
    query.id = id | V4L2_CTRL_FLAG_NEXT_CTRL;
  }
  return all;
}

Result<Done> Device::set(const Setting& setting) {
  const auto refuse = [&](const std::string& why) {
    return fail({Error::Kind::Unsupported, 0, "--control " + setting.name + "=" + setting.value + ": " + why});
  };
  const std::vector<Control> all = controls();
  const auto found = std::ranges::find(all, lower(setting.name), &Control::name);
  if (found == all.end()) {
    std::string names;
    for (const Control& one : all) names += (names.empty() ? "" : ", ") + one.name;
    return refuse(names.empty() ? path_ + " has no controls" : path_ + " has no such control; it has " + names);
  }
  std::optional<long long> value = parse_integer<long long>(setting.value);
  const std::string word = lower(setting.value);
  if (!value && found->type == "boolean" && (word == "on" || word == "true" || word == "yes")) value = 1;
  if (!value && found->type == "boolean" && (word == "off" || word == "false" || word == "no")) value = 0;
  for (const MenuItem& item : found->menu) {
    if (!value && lower(item.name) == word) value = item.index;
  }
  const bool outside =
      value && found->type != "bitmask" && found->type != "button" && (*value < found->least || *value > found->most);
  if (!value || outside) {
    std::string range = std::to_string(found->least) + " to " + std::to_string(found->most);
    if (!found->menu.empty()) {
      range.clear();
      for (const MenuItem& item : found->menu) {
        range += (range.empty() ? "" : ", ") + std::to_string(item.index) + " (" + item.name + ")";
      }
    }
    return refuse("not in " + range);
  }
  v4l2_control raw{};
  raw.id = found->id;
  raw.value = static_cast<__s32>(*value);
  if (const int sys = control(fd(), VIDIOC_S_CTRL, &raw); sys != 0) {
    Error error = io_error("--control " + setting.name + "=" + setting.value, sys);
    if (sys == EACCES) error.text += " (it can only be read)";
    if (sys == EBUSY || sys == EIO) error.text += " (is it ruled by an automatic that must be turned off first?)";
    return fail(std::move(error));
  }
  return Done{};
}

std::optional<Mode> Device::try_mode(std::uint32_t fourcc, int width_px, int height_px) const {
  v4l2_format format = format_of(fourcc, width_px, height_px);
  if (control(fd(), VIDIOC_TRY_FMT, &format) != 0) return std::nullopt;
  return mode_of(format);
}

Result<Mode> Device::set_mode(std::uint32_t fourcc, int width_px, int height_px, double fps) {
  v4l2_format format = format_of(fourcc, width_px, height_px);
  if (const int sys = control(fd(), VIDIOC_S_FMT, &format); sys != 0) {
    return fail(camera_error(path_, "setting the format", sys));
  }
  Mode mode = mode_of(format);
  v4l2_streamparm rate{};
  rate.type = kType;
  if (control(fd(), VIDIOC_G_PARM, &rate) != 0) return mode;
  v4l2_captureparm& capture = rate.parm.capture;
  if (fps > 0 && (capture.capability & V4L2_CAP_TIMEPERFRAME) != 0) {
    capture.timeperframe = {1000, static_cast<__u32>(std::lround(fps * 1000))};
    if (control(fd(), VIDIOC_S_PARM, &rate) != 0) return mode;
  }
  mode.fps = rate_of(capture.timeperframe);
  return mode;
}

unsigned Device::input() const {
  int index = 0;
  return control(fd(), VIDIOC_G_INPUT, &index) == 0 ? static_cast<unsigned>(index) : 0;
}

std::optional<Mode> Device::adopt_timings() {
  v4l2_dv_timings seen{};
  if (control(fd(), VIDIOC_QUERY_DV_TIMINGS, &seen) != 0) return std::nullopt;
  v4l2_dv_timings set{};
  const bool same = control(fd(), VIDIOC_G_DV_TIMINGS, &set) == 0 && set.bt.width == seen.bt.width &&
                    set.bt.height == seen.bt.height && set.bt.pixelclock == seen.bt.pixelclock &&
                    set.bt.interlaced == seen.bt.interlaced;
  if (!same && control(fd(), VIDIOC_S_DV_TIMINGS, &seen) != 0) return std::nullopt;
  Mode mode;
  mode.width_px = static_cast<int>(seen.bt.width);
  mode.height_px = static_cast<int>(seen.bt.height);
  const double pixels = static_cast<double>(V4L2_DV_BT_FRAME_WIDTH(&seen.bt)) * V4L2_DV_BT_FRAME_HEIGHT(&seen.bt);
  if (pixels > 0) mode.fps = static_cast<double>(seen.bt.pixelclock) / pixels;
  return mode;
}

bool Device::no_signal() const {
  v4l2_input info{};
  info.index = input();
  if (control(fd(), VIDIOC_ENUMINPUT, &info) != 0) return false;
  return (info.status & (V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL | V4L2_IN_ST_NO_SYNC)) != 0;
}

bool Device::subscribe_source_changes() const {
  // By the index of the input: with another id nothing comes.
  v4l2_event_subscription wanted{};
  wanted.type = V4L2_EVENT_SOURCE_CHANGE;
  wanted.id = input();
  return control(fd(), VIDIOC_SUBSCRIBE_EVENT, &wanted) == 0;
}

bool Device::source_changed() const {
  bool changed = false;
  for (unsigned i = 0; i < kMostEntries; ++i) {
    v4l2_event event{};
    if (control(fd(), VIDIOC_DQEVENT, &event) != 0) break;
    changed = changed || event.type == V4L2_EVENT_SOURCE_CHANGE;
  }
  return changed;
}

}  // namespace fp::v4l2

#include "camgrab/list.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "source/v4l2_device.h"

namespace fp {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double rate) { return std::round(rate * 1000) / 1000; }

Json to_json(const v4l2::Format& format) {
  Json sizes = Json::array();
  for (const v4l2::FrameSize& size : format.sizes) {
    Json one{{"width", size.width_px}, {"height", size.height_px}};
    if (size.step_px > 0) {
      one = Json{{"min_width", size.least_width_px},
                 {"min_height", size.least_height_px},
                 {"max_width", size.width_px},
                 {"max_height", size.height_px},
                 {"step", size.step_px}};
    }
    one["fps"] = Json::array();
    for (const double rate : size.rates_fps) one["fps"].push_back(rounded(rate));
    sizes.push_back(std::move(one));
  }
  return Json{{"fourcc", v4l2::fourcc_text(format.fourcc)}, {"description", format.description}, {"sizes", sizes}};
}

Json to_json(const v4l2::Control& control) {
  Json one{{"name", control.name}, {"title", control.title}, {"type", control.type},       {"min", control.least},
           {"max", control.most},  {"step", control.step},   {"default", control.standard}};
  one["value"] = control.value ? Json(*control.value) : Json();
  one["writable"] = control.writable;
  if (!control.menu.empty()) {
    one["menu"] = Json::array();
    for (const v4l2::MenuItem& item : control.menu) one["menu"].push_back({{"index", item.index}, {"name", item.name}});
  }
  return one;
}

Json to_json(const v4l2::Device& device) {
  const v4l2::Identity& identity = device.identity();
  Json one{{"path", device.path()}, {"card", identity.card},     {"driver", identity.driver},
           {"bus", identity.bus},   {"serial", identity.serial}, {"by_id", v4l2::by_id_name(device.path())}};
  one["formats"] = Json::array();
  for (const v4l2::Format& format : device.formats(/*with_sizes=*/true)) one["formats"].push_back(to_json(format));
  one["controls"] = Json::array();
  for (const v4l2::Control& control : device.controls()) one["controls"].push_back(to_json(control));
  return one;
}

std::string number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string to_text(const Json& device) {
  std::string text = device["path"].get<std::string>();
  if (device.contains("error")) return text + "  " + device["error"].get<std::string>() + "\n";
  text += "  " + device["card"].get<std::string>() + " (" + device["driver"].get<std::string>() + ", " +
          device["bus"].get<std::string>() + ")\n";
  const std::string by_id = device["by_id"].get<std::string>();
  if (!by_id.empty()) text += "  by-id name: " + by_id + "\n";
  for (const Json& format : device["formats"]) {
    text += "  " + format["fourcc"].get<std::string>() + "  " + format["description"].get<std::string>() + "\n";
    for (const Json& size : format["sizes"]) {
      if (size.contains("step")) {
        text += "    " + size["min_width"].dump() + "x" + size["min_height"].dump() + " to " +
                size["max_width"].dump() + "x" + size["max_height"].dump();
      } else {
        text += "    " + size["width"].dump() + "x" + size["height"].dump();
      }
      std::string rates;
      for (const Json& rate : size["fps"]) rates += " " + number(rate.get<double>());
      text += (rates.empty() ? "" : " at" + rates + " fps") + std::string("\n");
    }
  }
  if (!device["controls"].empty()) text += "  controls\n";
  for (const Json& control : device["controls"]) {
    text += "    " + control["name"].get<std::string>();
    if (control["type"] != "button") {
      text += ": " + control["min"].dump() + " to " + control["max"].dump() + ", default " + control["default"].dump();
      if (!control["value"].is_null()) text += ", now " + control["value"].dump();
    }
    if (!control["writable"].get<bool>()) text += " (read only)";
    text += "\n";
    for (const Json& item : control.value("menu", Json::array())) {
      text += "      " + item["index"].dump() + " " + item["name"].get<std::string>() + "\n";
    }
  }
  return text;
}

}  // namespace

std::string list_cameras(bool json) {
  Json devices = Json::array();
  for (const std::string& path : v4l2::device_paths()) {
    const auto device = v4l2::Device::open(path);
    if (device) {
      devices.push_back(to_json(*device));
    } else if (device.error().kind != Error::Kind::Unsupported) {
      devices.push_back({{"path", path}, {"error", device.error().text}});
    }
  }
  if (json) return Json{{"devices", devices}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string text;
  for (const Json& device : devices) text += to_text(device);
  return text;
}

}  // namespace fp

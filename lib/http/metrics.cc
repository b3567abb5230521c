#include "http/metrics.h"

#include <array>
#include <cstdio>

namespace fp::http {

MetricFamily::MetricFamily(std::string& out, const char* name, const char* type, const char* help)
    : out_(out), name_(name) {
  out_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void MetricFamily::sample(const std::string& labels, double value, const char* suffix) {
  out_ += name_ + suffix + (labels.empty() ? "" : "{" + labels + "}") + " " + metric_number(value) + "\n";
}

std::string metric_number(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

Response metrics_response(std::string text) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.text = std::move(text);
  return response;
}

}  // namespace fp::http

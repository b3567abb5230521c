// Prometheus' text format 0.0.4.
#pragma once

#include <string>

#include "http/message.h"

namespace fp::http {

/// One metric family: its HELP and TYPE, then its samples, appended to a text that it borrows.
class MetricFamily {
 public:
  /// `type`: "counter", "gauge", "histogram".
  MetricFamily(std::string& out, const char* name, const char* type, const char* help);
  /// `labels`: `camera="door",le="1"`, or "". `suffix` of the name: "_bucket".
  void sample(const std::string& labels, double value, const char* suffix = "");

 private:
  std::string& out_;
  std::string name_;
};

/// A number with as many digits as it needs, up to nine.
[[nodiscard]] std::string metric_number(double value);
[[nodiscard]] Response metrics_response(std::string text);

}  // namespace fp::http

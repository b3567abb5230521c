#pragma once

#include <string>

#include "loadgen/crowd.h"

namespace fp::bench {

/// One JSON object; the classes without viewers are left out. Sorts the ages in `figures`.
std::string json_report(CrowdFigures& figures, double seconds, double cpu_seconds);

/// The same for a person: a line for each class.
std::string text_report(CrowdFigures& figures, double seconds, double cpu_seconds);

}  // namespace fp::bench

// camgrab --list: which cameras there are and what they can.
#pragma once

#include <string>

namespace fp {

/// For people, or as JSON: {"devices":[...]}. Devices that capture no video are left out; one that cannot be opened is
/// listed with its error.
[[nodiscard]] std::string list_cameras(bool json);

}  // namespace fp

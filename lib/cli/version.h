// The version, once: CMakeLists.txt reads it from here.
#pragma once

namespace fp::cli {
inline constexpr const char* kVersion = "0.1.0";
}

// How a library tells the program what happened, without logging itself.
#pragma once

#include <functional>
#include <string>

namespace fp {

enum class Severity { Debug, Info, Warning, Error };
/// Called on the thread that noticed. `text` is one line for people: no full stop, no newline.
using Report = std::function<void(Severity severity, const std::string& text)>;

}  // namespace fp

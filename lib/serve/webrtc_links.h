// Where else the viewer page finds a camera: at a webrtc-serve.
#pragma once

#include <map>
#include <string>

namespace fp {

/// By camera: the address of that server's page, whole and ending in '/': "http://127.0.0.1:8889/".
using WebrtcLinks = std::map<std::string, std::string, std::less<>>;

}  // namespace fp

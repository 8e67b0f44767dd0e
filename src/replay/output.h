// What comes out of a node, as a capture keeps it: kind, size and digest.
#pragma once

#include <string>
#include <string_view>

#include "replay/capture.h"

namespace kadmesh {

// Nothing came back: not recorded.
bool is_nothing(const NodeAnswer& answer);
CaptureOutput output_of(const NodeAnswer& answer);
CaptureOutput output_of(const NodeAction& action);

// "answer", "WritePipe", "OpDone"; "?" for a number that is none.
std::string_view name_of_output(std::uint8_t kind);

// One line each: a name and the fields. Bytes as their number and the head of their SHA-256; never
// keys, values or messages themselves.
std::string to_text(const NodeInput& input);
std::string to_text(const NodeAnswer& answer);
std::string to_text(const NodeAction& action);

}  // namespace kadmesh

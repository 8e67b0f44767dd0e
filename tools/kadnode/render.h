// Answers and events as text for people and as JSON for programs. doc/kadnode.md describes the
// JSON; its names and types are stable. What peers sent (agents, topics, messages) may be any
// bytes: text shows control characters and what is no UTF-8 as \xNN, and JSON gives such bytes in
// hexadecimal under NAME_hex instead of NAME.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kadnode/answer.h"

namespace kadmesh::kadnode {

// How one command ended.
struct Outcome {
  std::string_view command;  // its name; what was typed when that is none
  Result<Answer> answer;
};

// One JSON object, without a newline:
//   {"seq":1,"ok":true,"command":"put","result":{...}}
//   {"seq":2,"ok":false,"command":"get","error":{"code":"not_found","detail":"...","hint":"..."}}
std::string json_of(std::uint64_t seq, const Outcome& outcome);
// {"event":"connected",...}
std::string json_of(const Event& event);
// {"event":"failed","error":{...}}: the node could not start.
std::string json_of_failure(const Error& error);

// Lines without a newline at the end. An error: "get: not_found: nobody has it; ... (hint)".
std::string text_of(const Outcome& outcome);
std::string text_of(const Event& event);
// For lists beside which values stand alone: `get` prints the value, then how it was found.
std::string printable(std::string_view bytes);

// What the user can do about it; empty when the error says all.
std::string hint(std::string_view command, const Error& error);

// The status with which the program ends: 0, or by the error's code (doc/kadnode.md, "Exit
// status").
int exit_status(const Result<Answer>& answer);
int exit_status(Errc code);
inline constexpr int kUsageStatus = 2;
inline constexpr int kStartStatus = 6;   // the node, its data directory or a socket: local trouble
inline constexpr int kNoNodeStatus = 7;  // no node runs on the data directory

}  // namespace kadmesh::kadnode

// A socket in the data directory, for its owner alone (mode 0600), at which a running node answers
// questions: one JSON object a line, each way.
//
//   {"command":"why 12D3Koo…","text":true}
//   {"seq":1,"ok":true,"command":"why","result":{…},"text":"…"}
//
// Answers are those of the line protocol (render.h); "text" is there if it was asked for. Only
// network, stats, why and id are answered.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "kadnode/session.h"

namespace kadmesh::kadnode {

class ControlSocket {
 public:
  static constexpr std::size_t kMostClients = 16;
  static constexpr std::size_t kMostRequest = 64 * 1024;
  static constexpr Duration kIdle = 10s;  // between a client's requests

  // Replaces a socket that a dead process left: whoever opens one holds the store's lock. Errc::io.
  // `session` outlives it.
  static Result<std::unique_ptr<ControlSocket>> open(asio::io_context& loop,
                                                     const std::filesystem::path& path,
                                                     const Session& session);
  // Removes the socket and ends its clients.
  ~ControlSocket();

 private:
  struct State;
  explicit ControlSocket(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// What a node answered to one question.
struct ControlAnswer {
  bool ok;
  std::string error_code;  // empty when ok
  std::string output;      // the text, or with `json` the JSON object
};
// Asks the node whose socket that is. Errc::unreachable when nobody listens there, Errc::timeout,
// Errc::io.
Result<ControlAnswer> ask_node(const std::filesystem::path& path, const std::string& command,
                               bool json, Duration limit);

}  // namespace kadmesh::kadnode

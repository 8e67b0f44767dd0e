#include "kadnode/render.h"

namespace kadmesh::kadnode {

// Each code keeps its number for ever; what has none of its own is 1.
int exit_status(Errc code) {
  if (code == Errc::invalid) return kUsageStatus;
  if (code == Errc::not_found) return 3;
  if (code == Errc::timeout) return 4;
  if (code == Errc::no_peers) return 5;
  if (code == Errc::io) return kStartStatus;
  return 1;
}

int exit_status(const Result<Answer>& answer) {
  return answer ? 0 : exit_status(answer.error().code);
}

std::string hint(std::string_view command, const Error& error) {
  const bool dials = command == "connect" || command == "ping" || command == "find";
  if (error.code == Errc::no_peers && command == "publish")
    return "connect to a subscriber of the topic first";
  if (error.code == Errc::no_peers) return "connect to a peer, or name one with --bootstrap";
  if (error.code == Errc::timeout && !command.empty())
    return "--timeout SECONDS allows more time; `network` shows who is connected";
  if (dials && error.code == Errc::unreachable)
    return "does the peer run, and is that its address?";
  if (dials && error.code == Errc::auth)
    return "another peer answers there: check the address, or leave out /p2p";
  return {};
}

}  // namespace kadmesh::kadnode

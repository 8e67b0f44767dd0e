#include "kad/errand_query.h"

namespace kadmesh {

std::unique_ptr<Query> ErrandQuery::probe(const Contact& peer, Time deadline) {
  KadMessage message{KadType::find_node, to_bytes(peer.peer.bytes()), {}, {}, {}};
  return std::unique_ptr<Query>(
      new ErrandQuery({peer}, std::move(message), std::nullopt, deadline));
}

std::unique_ptr<Query> ErrandQuery::repair(Repair repair, Time deadline) {
  KadMessage message = put_message(repair.record);
  return std::unique_ptr<Query>(new ErrandQuery(std::move(repair.to), std::move(message),
                                                std::move(repair.record), deadline));
}

QueryStep ErrandQuery::advance(Turn) {
  if (expired_) return Finished{fail(Errc::timeout), {}};
  if (auto ask = delivery_.next()) return *std::move(ask);
  if (!delivery_.done()) return Rest{deadline_};
  return Finished{ClosestReport{}, {}};
}

Result<void> ErrandQuery::on_reply(Turn, const PeerId& peer, const KadMessage& message) {
  if (put_) RETURN_IF_ERROR(check_echo(message, *put_));
  delivery_.on_taken(peer);
  return {};
}

}  // namespace kadmesh

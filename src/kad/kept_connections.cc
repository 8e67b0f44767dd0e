#include "kad/kept_connections.h"

namespace kadmesh {

std::vector<KadHold> KeptConnections::on(const TableChange& change) {
  Bucket& bucket = buckets_[common_prefix(self_, KadId::of(change.peer))];
  return change.entered ? entered(bucket, change.peer) : left(bucket, change.peer);
}

std::vector<KadHold> KeptConnections::entered(Bucket& bucket, const PeerId& peer) {
  if (bucket.kept == most_) {
    bucket.others.push_back(peer);
    return {};
  }
  ++bucket.kept;
  return {{peer, true}};
}

std::vector<KadHold> KeptConnections::left(Bucket& bucket, const PeerId& peer) {
  if (std::erase(bucket.others, peer) > 0) return {};
  if (bucket.others.empty()) {
    --bucket.kept;
    return {{peer, false}};
  }
  const PeerId next = bucket.others.front();
  bucket.others.erase(bucket.others.begin());
  return {{peer, false}, {next, true}};
}

}  // namespace kadmesh

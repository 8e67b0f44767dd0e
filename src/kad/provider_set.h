// Which providers of a key are kept when more want to be than kMostProvidersOfKey.
//
//   first_come  who is there
//   fair        who is there, but that the charge (store/record.h) with most of them gives its
//               newest to a comer whose charge has fewer by two: so as many ids as a network may
//               invent leave room for everybody else's, and of its own the oldest stay
//
// The newest is who came last, whoever told of itself last: Row::received. A provider that is kept
// may always tell of itself again. Ourselves nobody displaces. Were there more than are kept (two
// requests to a store, and a crash between them), whoever is admitted displaces all that are
// beyond.
#pragma once

#include <cstdint>
#include <vector>

#include "kad/config.h"
#include "store/store.h"

namespace kadmesh {

// `kept` is all that the store has of the key. The members that give way, none when there is room;
// Errc::limit: the comer is not kept.
Result<std::vector<Bytes>> admit(ProviderPolicy policy, StoreRows kept, ByteView comer,
                                 std::uint64_t charge);

}  // namespace kadmesh

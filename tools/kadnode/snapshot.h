// What a node is doing at this moment, as answers.
#pragma once

#include "kadnode/answer.h"

namespace kadmesh {
class Host;
}

namespace kadmesh::kadnode {

NetworkAnswer network_of(const Host& host);
StatsAnswer stats_of(const Host& host, Time started);

}  // namespace kadmesh::kadnode

// How a node's operation ended, as the ledger keeps it.
#pragma once

#include "kadsim/ledger.h"
#include "node/report.h"

namespace kadmesh::kadsim {

Outcome outcome_of(const OpDone& done);
Outcome outcome_of(const Error& error);

}  // namespace kadmesh::kadsim

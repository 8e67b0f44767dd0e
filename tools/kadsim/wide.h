// Products of two 64-bit numbers, exact.
#pragma once

namespace kadmesh::kadsim {

__extension__ typedef unsigned __int128 Wide;

}  // namespace kadmesh::kadsim

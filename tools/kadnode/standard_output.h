// Standard output of a program that is about to end.
#pragma once

namespace kadmesh::kadnode {

// Whether all that was printed is out; if not, says so on standard error.
bool written_out();

}  // namespace kadmesh::kadnode

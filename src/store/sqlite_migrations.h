// Brings a store's file from whatever version it has to the one that this program writes.
//
//   0  an empty file
//   1  schema(version)
//      rows(kind, key, member, value, received, expires), rows_by_expiry
//   2  rows: place and charge; rows_by_place
//   3  rows_by_charge
//   4  what was kept for peers before there were charges has one
//
// Each step is one transaction with its version, so that a file is of one version or of the next,
// wherever the power goes. A file once brought up is not for an older program: that one refuses it.
//
// Before charges were kept nobody wrote down for whom a row was. A value that is not ours to
// publish and a provider of what we do not provide are some peer's: all of these are charged alike,
// to kUnknownCharge, so that they are not ours for as long as peers hand them on.
#pragma once

#include "base/result.h"

struct sqlite3;

namespace kadmesh::sqlite {

inline constexpr int kNewestVersion = 4;
inline constexpr int kUnknownCharge = 1;

// Errc::unsupported for a file of a later version, which stays as it is. A step that fails leaves
// the file as it was; one that has no room says how much it takes.
Result<void> migrate(sqlite3* database);

}  // namespace kadmesh::sqlite

// What the store's answers say about the store: counted, and told of, each kind of trouble once a
// minute at most. A disk that is full fails every request, and peers may send thousands a second.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "store/store.h"

namespace kadmesh {

struct StoreStats {
  std::uint64_t failed = 0;     // requests: the disk is full, or says no otherwise
  std::uint64_t refused = 0;    // rows: no room by StoreLimits, or too large
  std::uint64_t displaced = 0;  // rows that made room for others (store/quota.h)
};

class StoreWatch {
 public:
  // `saving`: it was a Save. What is to be told, if now is the time to tell.
  std::optional<Error> on_stored(Time now, bool saving, const StoreResult& result);
  const StoreStats& stats() const { return stats_; }

 private:
  struct Trouble {
    Time next = Time::min();
    std::uint64_t untold = 0;
  };
  std::optional<Error> tell(Time now, Trouble& trouble, const Error& what);

  StoreStats stats_;
  Trouble failing_, full_;
};

}  // namespace kadmesh

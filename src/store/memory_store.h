// A store that forgets when its process ends.
#pragma once

#include <map>
#include <tuple>

#include "store/store.h"

namespace kadmesh {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(StoreLimits limits) : limits_(limits) {}

  std::vector<StoreResult> run(WallTime now, std::vector<StoreRequest> batch) override;
  std::size_t rows() const override { return rows_.size(); }
  std::size_t bytes() const override { return bytes_; }

 private:
  using Place = std::tuple<Kind, Bytes, Bytes>;  // kind, key, member

  StoreResult load(WallTime now, const Load& request) const;
  StoreResult save(Save request);
  StoreResult erase(const Erase& request);
  StoreResult scan(WallTime now, const Scan& request) const;
  StoreResult expire(WallTime now);

  StoreLimits limits_;
  std::map<Place, Row> rows_;
  std::size_t bytes_ = 0;
};

}  // namespace kadmesh

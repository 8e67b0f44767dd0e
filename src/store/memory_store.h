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
  struct Place {
    Kind kind;
    Bytes key, member;
    friend bool operator<(const Place& a, const Place& b) { return a.text() < b.text(); }
    std::tuple<Kind, std::string_view, std::string_view> text() const {
      return {kind, as_text(key), as_text(member)};
    }
  };

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

// A store that forgets when its process ends.
#pragma once

#include <map>
#include <tuple>

#include "store/quota.h"
#include "store/store.h"

namespace kadmesh {

class MemoryStore final : public Store, private Shelf {
 public:
  explicit MemoryStore(StoreLimits limits);
  // The index is of views into the rows.
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;
  MemoryStore(MemoryStore&&) = default;
  MemoryStore& operator=(MemoryStore&&) = default;

  std::vector<StoreResult> run(WallTime now, std::vector<StoreRequest> batch) override;
  std::size_t rows() const override { return rows_.size(); }
  std::size_t bytes() const override { return ledger_.all().bytes; }

 private:
  struct Name {
    Kind kind;
    Bytes key, member;
    friend bool operator<(const Name& a, const Name& b) { return a.text() < b.text(); }
    std::tuple<Kind, std::string_view, std::string_view> text() const {
      return {kind, as_text(key), as_text(member)};
    }
  };
  using Rows = std::map<Name, Row>;
  // Kind, place, key, member.
  using Placed = std::tuple<Kind, std::uint64_t, std::string_view, std::string_view>;

  // Charge, place, kind, key, member.
  using Charged =
      std::tuple<std::uint64_t, std::uint64_t, Kind, std::string_view, std::string_view>;

  // When it goes, kind, key, member.
  using Ending = std::tuple<WallTime, Kind, std::string_view, std::string_view>;

  static Placed placed(const Rows::value_type& entry);
  static Ending ending(const Rows::value_type& entry);
  static Charged charged(const Rows::value_type& entry);
  void add(Row row);
  void drop(Rows::iterator at);

  const Ledger& ledger() const override { return ledger_; }
  Result<std::optional<Stored>> stored(const Row& like) override;
  Result<bool> any(std::uint64_t charge, std::uint64_t from, std::uint64_t to) override;
  Result<Row> drop_at(std::uint64_t charge, std::uint64_t place) override;
  Result<void> sweep(WallTime now, std::size_t most) override;
  StoreResult whole(const Change& change) override;

  StoreResult load(WallTime now, const Load& request) const;
  StoreResult save(WallTime now, Save request);
  StoreResult erase(const Erase& request);
  StoreResult scan(WallTime now, const Scan& request) const;
  StoreResult expire(WallTime now, const Expire& request);
  StoreResult near(WallTime now, const Near& request) const;

  StoreLimits limits_;
  Rows rows_;
  std::map<Placed, const Row*> by_place_;
  std::map<Charged, Rows::iterator> by_charge_;  // without what is ours
  std::map<Ending, Rows::iterator> by_end_;
  Ledger ledger_;
  StoreRows dropped_;  // while a change is under way
};

}  // namespace kadmesh

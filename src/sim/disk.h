// A disk in memory that SQLite writes to through a VFS of its own (sqlite.org/vfs.html), and that
// fails as disks do, by a seed.
//
//   FaultyDisk disk(luck);
//   auto store = SqliteStore::open("rows.db", {}, disk.vfs());
//   ... store.reset(); disk.lose_power(); ... open again
//
// What it promises and what it does not:
//   - A write is there for whoever reads next, and survives a loss of power once it was synced.
//   - At a loss of power every sector of every write that was not synced is kept or not, each by
//     its own luck: writes are torn, and a later one may be there without an earlier, or an earlier
//     one where a later should be. Sectors themselves are whole.
//   - A file that was made or removed is so at once, and survives a loss of power once its
//     directory was synced: with a removal that asks for it, and with the first sync of a new
//     journal or log (as SQLite's own VFS does it). Until then it is there after a loss of power,
//     or not, by luck.
//   - A sync that is lost (Faults::lost_sync) reports success and does nothing.
//   - A file without a name is gone when it is closed.
//
// SQLite draws the salts of its log from a generator of the process; nothing that a store answers
// shows them. Not for two threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/rng.h"
#include "base/time.h"

namespace kadmesh {

class FaultyDisk {
 public:
  static constexpr std::size_t kSector = 512;

  // Of a million calls, how many fail.
  struct Faults {
    std::uint32_t read_error = 0;
    std::uint32_t write_error = 0;  // making, cutting and removing a file included
    std::uint32_t sync_error = 0;   // of a file or the directory, and nothing of it was synced
    std::uint32_t lost_sync = 0;
  };

  explicit FaultyDisk(Rng luck);
  // Every database on it must be closed.
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The name under which SQLite finds it.
  const std::string& vfs() const;

  void set_faults(Faults faults);
  // Writes beyond so many bytes in all fail: the disk is full. Less than there is: every write that
  // makes a file longer.
  void set_capacity(std::size_t bytes);
  // What SQLite takes for the time.
  void set_time(WallTime now);
  // From now on every call fails, until lose_power(): what a process that was killed sees no more.
  void stop();
  // The same once it has been written to, cut, synced, removed from or opened on so many times.
  void stop_after(std::uint64_t calls);
  bool stopped() const;
  // What was not synced is lost, or torn. Close every database first: closing writes.
  void lose_power();

  std::size_t bytes() const;
  std::uint64_t faults_injected() const;

 private:
  struct State;
  struct Open;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh

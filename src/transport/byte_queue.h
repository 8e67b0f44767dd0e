// Bytes in order: appended at the back, taken at the front, contiguous in between.
//
// What is taken at once need not be copied: it can be lent to an empty queue, until keep().
//
// Holds storage only while it holds bytes. What an emptied queue held goes to a StorageCache, where
// the next one finds it: a busy session allocates nothing, an idle one has a few bytes.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"

namespace kadmesh {

// Storage that lies between two uses; belongs to one session, whose queues share it.
class StorageCache {
 public:
  // A message waits in one queue at a time as a rule; a few cover bursts on several streams.
  static constexpr std::size_t kMost = 4;
  // Larger storage is rare, and worth more to the system.
  static constexpr std::size_t kLargest = std::size_t{256} * 1024;

  // Empty, with or without capacity.
  Bytes take();
  void give(Bytes storage);
  void clear() { spare_ = {}; }

 private:
  std::vector<Bytes> spare_;
};

class ByteQueue {
 public:
  bool empty() const { return size() == 0; }
  std::size_t size() const { return view().size(); }
  // Valid until the next call that is not const.
  ByteView view() const { return lent_.empty() ? ByteView(bytes_).subspan(head_) : lent_; }

  void append(ByteView more, StorageCache& cache);
  // As append() to a queue that is empty, but the bytes stay where they are: they must not go
  // before they have been taken, or kept.
  void lend(ByteView bytes);
  // Copies what is lent, if anything is.
  void keep(StorageCache& cache);
  // count <= size()
  void pop(std::size_t count, StorageCache& cache);
  void clear(StorageCache& cache);

 private:
  // The least storage worth taking: a few small frames.
  static constexpr std::size_t kLeast = 256;

  void make_room(std::size_t more);

  Bytes bytes_;
  std::size_t head_ = 0;  // bytes_ before it have been taken
  ByteView lent_;         // then bytes_ is empty
};

}  // namespace kadmesh

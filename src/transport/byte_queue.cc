#include "transport/byte_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kadmesh {

Bytes StorageCache::take() {
  if (spare_.empty()) return {};
  Bytes storage = std::move(spare_.back());
  spare_.pop_back();
  return storage;
}

void StorageCache::give(Bytes storage) {
  if (spare_.size() == kMost || storage.capacity() > kLargest) return;
  storage.clear();
  spare_.push_back(std::move(storage));
}

void ByteQueue::lend(ByteView bytes) {
  KAD_CHECK(empty());
  lent_ = bytes;
}

void ByteQueue::keep(StorageCache& cache) {
  if (!lent_.empty()) append(std::exchange(lent_, {}), cache);
}

void ByteQueue::append(ByteView more, StorageCache& cache) {
  keep(cache);
  if (bytes_.capacity() == 0) bytes_ = cache.take();
  if (bytes_.capacity() - bytes_.size() < more.size()) make_room(more.size());
  kadmesh::append(bytes_, more);
}

void ByteQueue::pop(std::size_t count, StorageCache& cache) {
  KAD_CHECK(count <= size());
  if (!lent_.empty()) return void(lent_ = lent_.subspan(count));
  head_ += count;
  if (empty()) clear(cache);
}

void ByteQueue::clear(StorageCache& cache) {
  if (bytes_.capacity() > 0) cache.give(std::exchange(bytes_, {}));
  head_ = 0;
  lent_ = {};
}

// Either way costs, spread over all appends, a constant for each byte: the bytes that move to the
// front are no more than those taken since the last move, and storage that grows doubles.
void ByteQueue::make_room(std::size_t more) {
  const std::size_t held = size();
  if (head_ >= held && bytes_.capacity() - held >= more) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
  } else {
    Bytes larger;
    larger.reserve(std::max({2 * held, held + more, kLeast}));
    kadmesh::append(larger, view());
    bytes_ = std::move(larger);
  }
  head_ = 0;
}

}  // namespace kadmesh

#include "transport/byte_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/rng.h"

namespace kadmesh {
namespace {

std::string text_of(const ByteQueue& queue) { return std::string(as_text(queue.view())); }

}  // namespace

TEST_CASE("byte_queue: bytes leave in the order in which they came") {
  StorageCache cache;
  ByteQueue queue;
  queue.append(as_bytes("hello "), cache);
  queue.append(as_bytes("world"), cache);
  queue.pop(4, cache);
  CHECK(text_of(queue) == "o world");
  queue.pop(7, cache);
  CHECK(queue.empty());
}

TEST_CASE("byte_queue: any mix of appending and taking equals a string") {
  Rng rng(5);
  StorageCache cache;
  ByteQueue queue;
  std::string naive;
  for (int i = 0; i < 2000; ++i) {
    const std::string more(rng.below(700), static_cast<char>(i));
    queue.append(as_bytes(more), cache);
    naive += more;
    const std::size_t taken = rng.below(naive.size() + 1);
    queue.pop(taken, cache);
    naive.erase(0, taken);
    REQUIRE(text_of(queue) == naive);
  }
}

TEST_CASE("byte_queue: what is lent stays where it is, and what is left of it is kept") {
  StorageCache cache;
  ByteQueue queue;
  Bytes bytes = to_bytes(as_bytes("hello world"));
  queue.lend(bytes);
  CHECK(queue.view().data() == bytes.data());
  queue.pop(6, cache);
  CHECK(queue.view().data() == bytes.data() + 6);
  queue.keep(cache);
  bytes.assign(bytes.size(), 0);
  queue.append(as_bytes("!"), cache);
  CHECK(text_of(queue) == "world!");
}

TEST_CASE("byte_queue: what comes behind lent bytes keeps them, and clearing forgets them") {
  StorageCache cache;
  ByteQueue queue;
  queue.lend(as_bytes("one"));
  queue.append(as_bytes(" two"), cache);
  CHECK(text_of(queue) == "one two");
  queue.clear(cache);
  queue.lend(as_bytes("three"));
  queue.clear(cache);
  CHECK(queue.empty());
}

TEST_CASE("byte_queue: an emptied queue leaves its storage to the next") {
  StorageCache cache;
  ByteQueue first, second;
  first.append(Bytes(5000), cache);
  const auto* storage = first.view().data();
  first.pop(5000, cache);
  second.append(as_bytes("x"), cache);
  CHECK(second.view().data() == storage);
}

TEST_CASE("byte_queue: the cache keeps little storage, and no large one") {
  StorageCache cache;
  cache.give(Bytes(StorageCache::kLargest + 1));
  CHECK(cache.take().capacity() == 0);
  for (std::size_t i = 0; i < StorageCache::kMost + 1; ++i) cache.give(Bytes(100));
  for (std::size_t i = 0; i < StorageCache::kMost; ++i) CHECK(cache.take().capacity() == 100);
  CHECK(cache.take().capacity() == 0);
}

}  // namespace kadmesh

// One stream of a Yamux session: the state of its two halves, what waits in them, what it owes to
// the wire and to its owner. The session moves it; nothing else sees it.
//
//   sending    open --finish()--> ending --queue sent, FIN sent--> ended
//   receiving  open --FIN came--> ending --all consumed, Finished polled--> ended
//   both ended, or Reset polled: the session forgets the stream.
//
//   dead       the peer, the session's end or a bound has ended both halves. What came before stays
//              readable until Reset is polled; a stream that was complete is read to its end first.
//   released   the owner has left: what it wrote still goes out, what comes is thrown away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "transport/byte_queue.h"
#include "transport/intrusive_fifo.h"
#include "transport/receive_window.h"
#include "transport/yamux_frame.h"

namespace kadmesh {

// In the order in which a stream's are given out.
namespace yamux_event {
inline constexpr std::uint8_t kOpened = 1;
inline constexpr std::uint8_t kReadable = 2;
inline constexpr std::uint8_t kFinished = 4;
inline constexpr std::uint8_t kWritable = 8;
inline constexpr std::uint8_t kReset = 16;
}  // namespace yamux_event

struct YamuxStream {
  enum class Half : std::uint8_t { open, ending, ended };

  YamuxStream(StreamId stream, bool is_ours, Time start)
      : id(stream), ours(is_ours), window(start) {}
  YamuxStream(const YamuxStream&) = delete;
  YamuxStream& operator=(const YamuxStream&) = delete;

  bool over() const { return sending == Half::ended && receiving == Half::ended; }
  // Both halves are complete on the wire: as the peer sees it, the stream is gone.
  bool over_for_peer() const { return sending == Half::ended && receiving != Half::open; }
  // Nothing that the peer says of it counts any more.
  bool deaf() const { return dead || over_for_peer(); }
  bool may_write() const { return sending == Half::open && !dead; }
  bool complete() const { return receiving == Half::ending && !received.empty(); }

  // Credit of the peer; false when all that it granted and we have not sent exceeds 2^32-1.
  bool add_credit(std::uint32_t more);

  // The next frame other than data that is owed, if any; sent() says that it went out.
  std::optional<YamuxHeader> next_control() const;
  void sent(const YamuxHeader& header);

  const StreamId id;
  const bool ours;
  bool accepted = false;  // its Opened has been polled, or it is ours
  bool acked = false;     // the peer has acknowledged ours
  bool released = false;
  bool wants_room = false;  // a write fell short: Writable is owed

  Half sending = Half::open;
  Half receiving = Half::open;
  std::optional<std::uint32_t> dead;  // with the code

  std::uint16_t owes_flags = 0;                // SYN or ACK, for the first frame
  std::uint32_t owes_credit = 0;               // granted, not yet sent
  std::uint32_t credit = kYamuxInitialWindow;  // what the peer lets us queue further
  std::uint8_t events = 0;                     // owed to the owner

  ReceiveWindow window;
  ByteQueue received;
  ByteQueue queued;

  // Places in the session's lists.
  FifoLink<YamuxStream> in_events;   // has events
  FifoLink<YamuxStream> in_control;  // owes control frames
  FifoLink<YamuxStream> in_data;     // has queued bytes; all of them are covered by credit
  FifoLink<YamuxStream> in_waiting;  // a write fell short of the session's send memory
};

}  // namespace kadmesh

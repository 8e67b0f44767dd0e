// The half of a Stream that the host keeps: what is waiting, and how it ended.
#pragma once

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <optional>
#include <string>

#include "driver/driver.h"
#include "driver/stream.h"

namespace kadmesh {

struct Stream::State : std::enable_shared_from_this<Stream::State> {
  State(Driver& through, StreamKey which, const PeerId& with, std::string speaking)
      : driver(&through),
        executor(through.loop().get_executor()),
        key(which),
        peer(with),
        protocol(std::move(speaking)) {}

  // Events of the node.
  void on_event(const StreamEvent& event);
  // The host is gone.
  void orphan();

  void read(asio::mutable_buffer into, Done done);
  void write(asio::const_buffer from, Done done);
  void abort_read();
  void abort_write();
  void finish();
  void release();
  void reset(std::uint32_t code);

  Driver* driver;  // null once the host is gone
  asio::any_io_executor executor;
  const StreamKey key;
  const PeerId peer;
  const std::string protocol;

 private:
  struct Read {
    asio::mutable_buffer into;
    Done done;
  };
  struct Write {
    asio::const_buffer from;
    Done done;
  };
  void try_read();
  void try_write();
  void end(asio::error_code why);

  std::optional<Read> reading_;
  std::optional<Write> writing_;
  asio::error_code read_end_;  // set once nothing more can be read
  asio::error_code write_end_;
};

}  // namespace kadmesh

// One pipe and everything that runs over it: bytes in, bytes out, streams for the floor above.
//
//   initiator  -> multistream header, /noise, Noise 1
//   responder  <- multistream header, /noise, Noise 2
//   initiator  -> Noise 3 [, header, /yamux/1.0.0], SYN, header, protocol, request
//   responder  <- [header, /yamux/1.0.0,] header, protocol, answer
//
// So an answer's first byte takes three round trips, that of TCP's connect() included, whether or
// not the muxer was agreed inside the Noise payload: everything in brackets is multistream's lazy
// form, with a single proposal.
//
//                 Noise done, the muxer agreed early, or we propose it
//            +-----------------------------------------------------------+
//            |                                                           v
//        securing ---Noise done, the peer must propose---> muxing ----> up
//            |                                               |           |
//            +-----------------------+-----------------------+-----------+
//                                    | error, close(), deadline, the pipe's end
//                                    v
//                                 closing ---last bytes taken---> gone
//
// Rules:
//   - Holds no reference to its swarm, and draws luck only when it is made; what it must know of
//     the node is immutable and shared. It could run on another thread.
//   - Until the muxer is agreed a deadline ends it; until it is up it buffers no more than one
//     handshake message.
//   - An initiator that proposes the muxer is up before the answer: the peer has authenticated, and
//     a refusal ends the connection like any other fault.
//   - At most kWriteBudget bytes are out and not reported as written. Beyond that Yamux output
//     waits in its streams, whose writers are stopped by their own windows, so a peer that does not
//     read costs a bounded amount; when none of it moves for kWriteStall, the connection ends.
//   - Everything that waits is sealed together: Noise messages are full while there is data, and a
//     turn's small writes share one. Behind bytes that are out only a full message follows:
//     anything less would wait in the pipe, and waits here to be joined by more.
//   - Once closing, every stream has died and poll() says so; no input changes anything any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/rng.h"
#include "base/time.h"
#include "transport/multistream.h"
#include "transport/peer_link.h"
#include "transport/secure_channel.h"
#include "transport/streams.h"

namespace kadmesh {

// Two of the largest bursts of one stream's window would not help a kernel that is behind; one
// keeps it busy for a turn.
inline constexpr std::size_t kWriteBudget = 256 * 1024;
// go gives up a blocked write after 10 s, others between that and 30 s.
inline constexpr Duration kWriteStall = 30s;

inline constexpr std::string_view kYamuxProtocol = "/yamux/1.0.0";

struct ConnectionSetup {
  ConnId id;
  Role role;
  std::optional<PeerId> expected;  // whom we called
  Security security = Security::noise;
  std::shared_ptr<const NoiseStatic> noise;  // who we are, whatever the security
  std::shared_ptr<const Protocols> protocols;
  bool early_muxer;         // `noise` offers it
  Time open_deadline;       // up by then, or dead
  Duration stream_timeout;  // for the peer's streams to name their protocol
  bool keylog = false;
  bool plain_forms = false;  // with Noise: keep them, to be taken
};

class Connection {
 public:
  enum class Phase : std::uint8_t { securing, muxing, up, closing, gone };

  // An ephemeral key is drawn.
  Connection(ConnectionSetup setup, Rng& luck, Time now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- inputs. What the pipe has done.
  void on_bytes(Time now, ByteView bytes);
  // The same for bytes that stay where they are until keep(): what streams consume by then is never
  // copied. keep() must come before they go.
  void lend(Time now, ByteView bytes);
  void keep();
  // What take_output() does, without output.
  void keep_written();
  // Fewer bytes may be counted than were taken, never more: more is ignored.
  void on_written(Time now, std::size_t count);
  void on_pipe_ended(const Error& cause);
  void on_timer(Time now);
  Time next_timer() const;

  // --- outputs.
  // All that may go into the pipe now, as one buffer; empty when nothing waits or the budget is
  // used up. Take it before destroying a closing connection: it holds the goodbye. Bytes that were
  // lent to streams (Streams::write_lent()) may go afterwards.
  Bytes take_output(Time now);
  // False: the peer asks more than it lets us answer; leave its bytes in the pipe until output has
  // been taken. The stall's deadline ends what does not pass.
  bool wants_input() const;
  std::optional<Streams::Event> poll(Time now);
  // The session's secrets, once, when asked for in the setup.
  std::optional<std::string> take_keylog();
  // When asked for in the setup, of what on_bytes() has taken and take_output() has given since:
  // its plain form (plain_form.h).
  Bytes take_opened_form();
  Bytes take_sent_form();

  // --- commands.
  void close(const Error& why);
  void set_protocols(std::shared_ptr<const Protocols> protocols);

  Phase phase() const;
  // Why it is closing or gone.
  const Error& cause() const;
  // Who has authenticated; null until it is up, and for ever when it never was.
  const PeerId* peer() const;
  // From up on.
  const PublicKey& peer_key() const { return up().key; }
  bool early_muxer() const { return up().early; }
  Streams& streams() { return up().streams; }
  const Streams& streams() const { return up().streams; }
  // In handshakes and streams; bytes handed out are the driver's.
  std::size_t buffered_bytes() const;

 private:
  using Selection = std::variant<MultistreamDialer, MultistreamListener>;
  struct Securing {
    Selection selection;
    SecureHandshake handshake;
  };
  struct Muxing {
    SecureSession session;
    MultistreamListener selection;
  };
  struct Up {
    Up(const ConnectionSetup& setup, SecureSession session, bool agreed_early, Time start);

    PublicKey key;
    PeerId peer;
    bool early;
    Sealer send;
    Opener receive;
    std::optional<MultistreamDialer> proposal;  // of the muxer, not yet answered
    Streams streams;
  };

  Up& up();
  const Up& up() const;
  bool opening() const;
  // Our `na` still goes out: a dialer that wrote on behind its proposal would not learn why.
  bool selecting() const;
  Time open_deadline() const;
  Time stall_deadline() const;

  Result<void> read(Time now, ByteView& bytes);
  Result<void> read(Time now, Securing& phase, ByteView& bytes);
  Result<void> read(Time now, Muxing& phase, ByteView& bytes);
  Result<void> read(Time now, Up& phase, ByteView& bytes);
  Result<void> read_proposal_answer(Up& phase, ByteView& plain);
  Result<std::optional<ByteView>> open(Opener& receive, ByteView& bytes);
  Result<void> secured(Time now, SecureSession session);
  void put_selection(Securing& phase);
  bool put_handshake(Securing& phase);
  void show_handshake(const Securing& phase, bool answered);
  std::unexpected<Error> insecure(const Error& why);
  void drop_handshake();
  void go_up(Time now, SecureSession session, bool agreed_early);
  Result<void> propose_muxer(Up& phase);
  void die(const Error& why, std::uint32_t goodbye);
  void seal(Up& phase, Bytes& out);
  Result<void> seal_early(Sealer& send, ByteView plain);

  ConnectionSetup setup_;
  std::variant<Securing, Muxing, Up> stack_;
  Bytes handshake_;             // to be sent before anything of the streams
  std::size_t in_flight_ = 0;   // handed out, not reported as written
  Time progress_;               // when some of it last was, or it began
  std::optional<Error> cause_;  // set: closing, then gone
  bool goodbye_taken_ = false;
  std::optional<std::string> keylog_;
  std::unique_ptr<PlainForms> forms_;  // null unless asked for
};

}  // namespace kadmesh

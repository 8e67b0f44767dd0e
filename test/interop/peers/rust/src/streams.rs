//! Plain streams: a behaviour that serves a set of protocols which may grow, and opens streams on request.
//!
//! libp2p-stream is not used: it drops an inbound stream when another one is still being handed over, which
//! a burst of streams makes happen.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{Endpoint, InboundUpgrade, OutboundUpgrade, UpgradeInfo, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
    },
};
use tokio::sync::oneshot;

use crate::services;

pub type Opened = oneshot::Sender<Result<Stream, String>>;
type Served = Arc<Mutex<Vec<StreamProtocol>>>;

#[derive(Debug)]
pub enum Command {
    Open(StreamProtocol, Opened),
    /// The set of served protocols has grown: the connection must look at it again.
    Look,
}

pub struct Behaviour {
    served: Served,
    connections: Vec<(PeerId, ConnectionId)>,
    commands: VecDeque<(PeerId, NotifyHandler, Command)>,
}

impl Behaviour {
    pub fn new() -> Self {
        let served = Arc::new(Mutex::new(services::PROTOCOLS.to_vec()));
        Self {
            served,
            connections: Vec::new(),
            commands: VecDeque::new(),
        }
    }

    /// Without a connection to the peer the sender is dropped unused.
    pub fn open(&mut self, peer: PeerId, protocol: StreamProtocol, opened: Opened) {
        self.commands
            .push_back((peer, NotifyHandler::Any, Command::Open(protocol, opened)));
    }

    pub fn serve(&mut self, protocol: StreamProtocol) {
        self.served
            .lock()
            .expect("no panic under the lock")
            .push(protocol);
        for (peer, connection) in &self.connections {
            self.commands
                .push_back((*peer, NotifyHandler::One(*connection), Command::Look));
        }
    }

    fn handler(&self) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler {
            served: self.served.clone(),
            to_open: VecDeque::new(),
        })
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler()
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler()
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(e) => {
                self.connections.push((e.peer_id, e.connection_id))
            }
            FromSwarm::ConnectionClosed(e) => self
                .connections
                .retain(|(_, connection)| *connection != e.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.commands.pop_front() {
            Some((peer_id, handler, event)) => Poll::Ready(ToSwarm::NotifyHandler {
                peer_id,
                handler,
                event,
            }),
            None => Poll::Pending,
        }
    }
}

pub struct Handler {
    served: Served,
    to_open: VecDeque<(StreamProtocol, Opened)>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Command;
    type ToBehaviour = Infallible;
    type InboundProtocol = AnyOf;
    type OutboundProtocol = AnyOf;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Opened;

    fn listen_protocol(&self) -> SubstreamProtocol<AnyOf> {
        let served = self.served.lock().expect("no panic under the lock").clone();
        SubstreamProtocol::new(AnyOf(served), ())
    }

    fn on_behaviour_event(&mut self, command: Command) {
        if let Command::Open(protocol, opened) = command {
            self.to_open.push_back((protocol, opened));
        }
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<AnyOf, Opened, Infallible>> {
        match self.to_open.pop_front() {
            Some((protocol, opened)) => {
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                    protocol: SubstreamProtocol::new(AnyOf(vec![protocol]), opened),
                })
            }
            None => Poll::Pending,
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<AnyOf, AnyOf, (), Opened>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, protocol),
                ..
            }) => drop(tokio::spawn(services::serve(protocol, stream))),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info,
            }) => drop(info.send(Ok(stream))),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                drop(info.send(Err(refusal(error))))
            }
            _ => {}
        }
    }
}

fn refusal(error: StreamUpgradeError<Infallible>) -> String {
    match error {
        StreamUpgradeError::Timeout => "opening the stream timed out".into(),
        StreamUpgradeError::NegotiationFailed => "the peer does not serve the protocol".into(),
        StreamUpgradeError::Io(e) => e.to_string(),
        StreamUpgradeError::Apply(never) => match never {},
    }
}

/// Agrees on one of the protocols and hands the stream over as it is.
pub struct AnyOf(Vec<StreamProtocol>);

impl UpgradeInfo for AnyOf {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for AnyOf {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}

impl OutboundUpgrade<Stream> for AnyOf {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}

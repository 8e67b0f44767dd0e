//! The swarm, what it has told so far, and the task that owns both.
//!
//! Verbs run in tasks of their own. They reach the swarm through a `Handle`: `run` does one thing now,
//! `until` asks after every event whether something has come true.

use std::collections::HashMap;

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::ConnectedPoint,
    gossipsub, identify, kad,
    multiaddr::Protocol,
    noise, ping,
    swarm::{ConnectionId, NetworkBehaviour, SwarmEvent, behaviour::toggle::Toggle},
    tcp, yamux,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{mpsc, oneshot},
    time::Duration,
};

use crate::{
    args::{Args, GossipId},
    say, streams,
};

/// Longer than any run: nothing is closed for being idle.
const IDLE: Duration = Duration::from_secs(3600);
/// Identify asks again at this interval; longer than any run, so that a later message is a push.
const IDENTIFY_AGAIN: Duration = Duration::from_secs(3600);
/// As much of a message as its event shows.
const SHOWN: usize = 64;

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub kad: kad::Behaviour<kad::store::MemoryStore>,
    pub gossip: gossipsub::Behaviour,
    pub streams: streams::Behaviour,
    pub identify: Toggle<identify::Behaviour>,
    pub ping: Toggle<ping::Behaviour>,
}

pub struct Connection {
    pub peer: PeerId,
    pub addr: Multiaddr,
    pub inbound: bool,
    identified: bool,
}

#[derive(Default)]
pub struct Query {
    pub results: Vec<kad::QueryResult>,
    pub finished: bool,
}

pub struct Node {
    pub swarm: Swarm<Behaviour>,
    pub kad_protocol: String,
    pub connections: HashMap<ConnectionId, Connection>,
    pub dials: HashMap<ConnectionId, Result<PeerId, String>>,
    pub infos: HashMap<PeerId, identify::Info>,
    pub pings: HashMap<PeerId, Result<Duration, String>>,
    pub queries: HashMap<kad::QueryId, Query>,
    waiting: Vec<Waiting>,
}

type Job = Box<dyn FnOnce(&mut Node) + Send>;
/// True when it has answered, or nobody waits for its answer any more.
type Waiting = Box<dyn FnMut(&mut Node) -> bool + Send>;

#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::UnboundedSender<Job>,
}

impl Handle {
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Node) -> T + Send + 'static,
    ) -> T {
        let (tx, rx) = oneshot::channel();
        let _ = self
            .jobs
            .send(Box::new(move |node| drop(tx.send(job(node)))));
        rx.await.expect("the node outlives its handles")
    }

    pub async fn until<T: Send + 'static>(
        &self,
        mut look: impl FnMut(&mut Node) -> Option<T> + Send + 'static,
    ) -> T {
        let (tx, rx) = oneshot::channel();
        let mut tx = Some(tx);
        let waiting = move |node: &mut Node| {
            if tx.as_ref().is_none_or(|tx| tx.is_closed()) {
                return true;
            }
            let Some(found) = look(node) else {
                return false;
            };
            tx.take().map(|tx| tx.send(found));
            true
        };
        let _ = self
            .jobs
            .send(Box::new(move |node| node.wait(Box::new(waiting))));
        rx.await.expect("the node outlives its handles")
    }
}

pub async fn start(args: &Args) -> Result<(Node, Vec<Multiaddr>), String> {
    let mut swarm = libp2p::SwarmBuilder::with_existing_identity(args.key.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|e| e.to_string())?
        .with_behaviour(|_| behaviour(args))
        .map_err(|e| e.to_string())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    swarm
        .listen_on(args.listen.clone())
        .map_err(|e| e.to_string())?;
    let first = loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => break address,
            SwarmEvent::ListenerError { error, .. } => return Err(error.to_string()),
            _ => {}
        }
    };
    Ok((Node::new(swarm, args.kad_protocol.to_string()), vec![first]))
}

fn behaviour(args: &Args) -> Result<Behaviour, Box<dyn std::error::Error + Send + Sync + 'static>> {
    let identify = (!args.bare).then(|| {
        let config = identify::Config::new("ipfs/0.1.0".into(), args.key.public())
            .with_interval(IDENTIFY_AGAIN);
        identify::Behaviour::new(config)
    });
    let ping = (!args.bare).then(ping::Behaviour::default);
    Ok(Behaviour {
        kad: kademlia(args),
        gossip: gossip(args)?,
        streams: streams::Behaviour::new(),
        identify: identify.into(),
        ping: ping.into(),
    })
}

/// rust-libp2p has no validators: it stores what it is given, and the verb chooses among what it gets.
fn kademlia(args: &Args) -> kad::Behaviour<kad::store::MemoryStore> {
    let id = args.key.public().to_peer_id();
    let store = kad::store::MemoryStore::new(id);
    let config = kad::Config::new(args.kad_protocol.clone());
    let mut behaviour = kad::Behaviour::with_config(id, store, config);
    let mode = if args.kad_server {
        kad::Mode::Server
    } else {
        kad::Mode::Client
    };
    behaviour.set_mode(Some(mode));
    behaviour
}

fn gossip(args: &Args) -> Result<gossipsub::Behaviour, Box<dyn std::error::Error + Send + Sync>> {
    let mut config = gossipsub::ConfigBuilder::default();
    if let Some(d) = args.gossip_d {
        config
            .mesh_n(d)
            .mesh_n_low(d)
            .mesh_n_high(d)
            .mesh_outbound_min(2.min(d / 2));
        config.flood_publish(false);
    }
    match &args.gossip_id {
        Some(id) => set_gossip_id(&mut config, id),
        // The default id is made of author and number, which unsigned messages lack.
        None if !args.gossip_signed => set_gossip_id(&mut config, &GossipId::Sha256),
        None => {}
    }
    let authenticity = if args.gossip_signed {
        gossipsub::MessageAuthenticity::Signed(args.key.clone())
    } else {
        config.validation_mode(gossipsub::ValidationMode::Anonymous);
        gossipsub::MessageAuthenticity::Anonymous
    };
    Ok(gossipsub::Behaviour::new(authenticity, config.build()?)?)
}

fn set_gossip_id(config: &mut gossipsub::ConfigBuilder, id: &GossipId) {
    match id {
        GossipId::Go | GossipId::Py => {
            config.message_id_fn(|m| [author(m), number(m)].concat().into())
        }
        GossipId::Js => config.message_id_fn(|m| [key(m), number(m)].concat().into()),
        GossipId::Sha256 => config.message_id_fn(|m| Sha256::digest(&m.data).to_vec().into()),
        GossipId::Rust => config,
    };
}

fn number(message: &gossipsub::Message) -> Vec<u8> {
    let number = message.sequence_number.unwrap_or_default();
    number.to_be_bytes().to_vec()
}

fn author(message: &gossipsub::Message) -> Vec<u8> {
    let author = message.source.map(|author| author.to_bytes());
    author.unwrap_or_default()
}

/// The public key that an Ed25519 peer id embeds after the two bytes of its multihash header.
fn key(message: &gossipsub::Message) -> Vec<u8> {
    author(message).into_iter().skip(2).collect()
}

impl Node {
    fn new(swarm: Swarm<Behaviour>, kad_protocol: String) -> Self {
        Self {
            swarm,
            kad_protocol,
            connections: HashMap::new(),
            dials: HashMap::new(),
            infos: HashMap::new(),
            pings: HashMap::new(),
            queries: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Runs until every handle is gone.
    pub fn spawn(mut self) -> Handle {
        let (jobs, mut to_do) = mpsc::unbounded_channel::<Job>();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    event = self.swarm.select_next_some() => self.on_event(event),
                    Some(job) = to_do.recv() => job(&mut self),
                }
                self.look_again();
            }
        });
        Handle { jobs }
    }

    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.connections.values().any(|c| c.peer == *peer)
    }

    pub fn kad_peers(&mut self) -> Vec<String> {
        let mut peers = Vec::new();
        for bucket in self.swarm.behaviour_mut().kad.kbuckets() {
            peers.extend(
                bucket
                    .iter()
                    .map(|entry| entry.node.key.preimage().to_string()),
            );
        }
        peers
    }

    fn wait(&mut self, mut waiting: Waiting) {
        if !waiting(self) {
            self.waiting.push(waiting);
        }
    }

    fn look_again(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain_mut(|w| !w(self));
        self.waiting.append(&mut waiting);
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => self.on_connected(peer_id, connection_id, endpoint),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                eprintln!("closed {peer_id}: {cause:?}");
                self.on_disconnected(peer_id, connection_id)
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                error,
                ..
            } => {
                self.dials.insert(connection_id, Err(error.to_string()));
            }
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            other => eprintln!("{other:?}"),
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                peer_id,
                info,
            }) => self.on_identified(connection_id, peer_id, info),
            BehaviourEvent::Ping(event) => {
                let result = event.result.map_err(|e| e.to_string());
                self.pings.insert(event.peer, result);
            }
            BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                id, result, step, ..
            }) => self.on_query(id, result, step.last),
            BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. }) => {
                tell_message(&message)
            }
            other => eprintln!("{other:?}"),
        }
    }

    fn on_connected(&mut self, peer: PeerId, id: ConnectionId, endpoint: ConnectedPoint) {
        let inbound = endpoint.is_listener();
        let addr = without_peer(endpoint.get_remote_address().clone());
        self.dials.insert(id, Ok(peer));
        self.connections.insert(
            id,
            Connection {
                peer,
                addr,
                inbound,
                identified: false,
            },
        );
        say(json!({"event": "connected", "peer": peer.to_string(), "inbound": inbound}));
    }

    fn on_disconnected(&mut self, peer: PeerId, id: ConnectionId) {
        self.connections.remove(&id);
        if !self.is_connected(&peer) {
            self.infos.remove(&peer);
            self.pings.remove(&peer);
        }
        say(json!({"event": "disconnected", "peer": peer.to_string()}));
    }

    /// Identify reports a push like an answer: whatever follows the first report of a connection is one.
    fn on_identified(&mut self, id: ConnectionId, peer: PeerId, info: identify::Info) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let event = if connection.identified {
            "pushed"
        } else {
            "identified"
        };
        connection.identified = true;
        let protocols: Vec<String> = info.protocols.iter().map(|p| p.to_string()).collect();
        if protocols.contains(&self.kad_protocol) {
            self.route(peer, &info.listen_addrs);
        }
        self.infos.insert(peer, info);
        say(json!({"event": event, "peer": peer.to_string(), "protocols": protocols}));
    }

    /// Kademlia learns no address by itself.
    fn route(&mut self, peer: PeerId, addrs: &[Multiaddr]) {
        for addr in addrs {
            self.swarm
                .behaviour_mut()
                .kad
                .add_address(&peer, addr.clone());
        }
    }

    fn on_query(&mut self, id: kad::QueryId, result: kad::QueryResult, last: bool) {
        if let Some(query) = self.queries.get_mut(&id) {
            query.results.push(result);
            query.finished |= last;
        }
    }
}

pub fn without_peer(mut addr: Multiaddr) -> Multiaddr {
    if matches!(addr.iter().last(), Some(Protocol::P2p(_))) {
        addr.pop();
    }
    addr
}

fn tell_message(message: &gossipsub::Message) {
    let shown = &message.data[..message.data.len().min(SHOWN)];
    say(json!({
        "event": "message",
        "topic": message.topic.to_string(),
        "from": message.source.map(|author| author.to_string()).unwrap_or_default(),
        "data": hex::encode(shown),
        "size": message.data.len(),
    }));
}

//! The swarm, what it has told so far, and the task that owns both.
//!
//! Verbs run in tasks of their own. They reach the swarm through a `Handle`: `run` does one thing now,
//! `until` asks after every event whether something has come true.

use std::collections::{HashMap, VecDeque};

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
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Duration, Instant, sleep_until},
};

use crate::{args::Args, gossip, pump::Pump, say, streams};

/// Longer than any run: nothing is closed for being idle.
const IDLE: Duration = Duration::from_secs(3600);
/// Identify asks again at this interval; longer than any run, so that a later message is a push.
const IDENTIFY_AGAIN: Duration = Duration::from_secs(3600);

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
    /// Of what gossipsub has sent and received.
    pub counts: Registry,
    gossip_hold: Duration,
    /// Verdicts that are due.
    held: VecDeque<(Instant, PeerId, gossipsub::MessageId)>,
    pub connections: HashMap<ConnectionId, Connection>,
    pub dials: HashMap<ConnectionId, Result<PeerId, String>>,
    pub infos: HashMap<PeerId, identify::Info>,
    pub pings: HashMap<PeerId, Result<Duration, String>>,
    pub queries: HashMap<kad::QueryId, Query>,
    /// Of topics joined quietly.
    pub pumps: HashMap<gossipsub::TopicHash, Pump>,
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
    let mut counts = Registry::default();
    let mut swarm = libp2p::SwarmBuilder::with_existing_identity(args.key.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|e| e.to_string())?
        .with_behaviour(|_| behaviour(args, &mut counts))
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
    Ok((Node::new(swarm, args, counts), vec![first]))
}

fn behaviour(
    args: &Args,
    counts: &mut Registry,
) -> Result<Behaviour, Box<dyn std::error::Error + Send + Sync + 'static>> {
    let identify = (!args.bare).then(|| {
        let config = identify::Config::new("ipfs/0.1.0".into(), args.key.public())
            .with_interval(IDENTIFY_AGAIN);
        identify::Behaviour::new(config)
    });
    let ping = (!args.bare).then(ping::Behaviour::default);
    Ok(Behaviour {
        kad: kademlia(args),
        gossip: gossip::behaviour(args, counts)?,
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

impl Node {
    fn new(swarm: Swarm<Behaviour>, args: &Args, counts: Registry) -> Self {
        Self {
            swarm,
            kad_protocol: args.kad_protocol.to_string(),
            gossip_hold: args.gossip_hold,
            counts,
            held: VecDeque::new(),
            connections: HashMap::new(),
            dials: HashMap::new(),
            infos: HashMap::new(),
            pings: HashMap::new(),
            queries: HashMap::new(),
            pumps: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Runs until every handle is gone.
    pub fn spawn(mut self) -> Handle {
        let (jobs, mut to_do) = mpsc::unbounded_channel::<Job>();
        tokio::spawn(async move {
            loop {
                let due = self.held.front().map(|(due, ..)| *due);
                tokio::select! {
                    event = self.swarm.select_next_some() => self.on_event(event),
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.accept_next(),
                    Some(job) = to_do.recv() => job(&mut self),
                }
                self.look_again();
            }
        });
        Handle { jobs }
    }

    /// All wait equally long, so the first to come is the first to be judged.
    fn hold(&mut self, source: PeerId, id: gossipsub::MessageId) {
        if !self.gossip_hold.is_zero() {
            let due = Instant::now() + self.gossip_hold;
            self.held.push_back((due, source, id));
        }
    }

    fn accept_next(&mut self) {
        if let Some((_, source, id)) = self.held.pop_front() {
            let gossip = &mut self.swarm.behaviour_mut().gossip;
            let verdict = gossipsub::MessageAcceptance::Accept;
            gossip.report_message_validation_result(&id, &source, verdict);
        }
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
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => {
                if self.pumps.contains_key(&message.topic) {
                    self.on_pumped(&message)
                } else {
                    gossip::tell_message(&message_id, &message);
                    self.hold(propagation_source, message_id);
                }
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

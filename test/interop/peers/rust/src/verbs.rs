//! What each request of ../../../PROTOCOL.md does.

use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, multiaddr::Protocol, swarm::dial_opts::DialOpts,
};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Duration, sleep},
};

use crate::{
    args::Args,
    node::{Handle, Node},
    services,
};

const PING: StreamProtocol = StreamProtocol::new("/ipfs/ping/1.0.0");

pub struct Refusal {
    pub reason: String,
    pub unsupported: bool,
}

pub type Answer = Result<Value, Refusal>;

impl<E: ToString> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal {
            reason: error.to_string(),
            unsupported: false,
        }
    }
}

pub fn unsupported(reason: &str) -> Refusal {
    Refusal {
        reason: reason.into(),
        unsupported: true,
    }
}

#[derive(Clone)]
pub struct Verbs {
    pub node: Handle,
    pub public_key: Vec<u8>,
    pub peer: PeerId,
    pub bare: bool,
    pub mesh_cut: bool,
}

impl Verbs {
    pub fn new(node: Handle, args: &Args) -> Self {
        Self {
            node,
            public_key: args.key.public().encode_protobuf(),
            peer: args.key.public().to_peer_id(),
            bare: args.bare,
            mesh_cut: args.gossip_d == Some(0),
        }
    }

    pub async fn answer(&self, request: &Value) -> Answer {
        match text(request, "cmd")? {
            "connect" => self.connect(request).await,
            "disconnect" => self.disconnect(request).await,
            "connections" => self.connections().await,
            "identify" => self.identify(request).await,
            "push" => self.push(request).await,
            "ping" => self.ping(request).await,
            "echo_serve" | "quit" => Ok(json!({})),
            "echo" => self.echo(request).await,
            "upload" => self.upload(request).await,
            "download" => self.download(request).await,
            "duplex" => self.duplex(request).await,
            "streams" => self.streams(request).await,
            "streams_open" => self.streams_open(request).await,
            "reset" => self.reset(request).await,
            "kad_bootstrap" => self.kad_bootstrap(request).await,
            "kad_table" => Ok(json!({"peers": self.node.run(Node::kad_peers).await})),
            "kad_put" => self.kad_put(request).await,
            "kad_get" => self.kad_get(request).await,
            "kad_put_pk" => self.kad_put_pk().await,
            "kad_provide" => self.kad_provide(request).await,
            "kad_providers" => self.kad_providers(request).await,
            "kad_find" => self.kad_find(request).await,
            "ipns_seal" | "ipns_open" => Err(unsupported("there is no IPNS")),
            "gossip_join" => self.gossip_join(request).await,
            "gossip_leave" => self.gossip_leave(request).await,
            "gossip_mesh" => self.gossip_mesh(request).await,
            "gossip_peers" => self.gossip_peers(request).await,
            "gossip_publish" => self.gossip_publish(request).await,
            "gossip_burst" => self.gossip_burst(request).await,
            "gossip_counts" => self.gossip_counts().await,
            "gossip_scores" => self.gossip_scores().await,
            "gossip_pump" => self.gossip_pump(request).await,
            other => Err(unsupported(&format!("no verb {other}"))),
        }
    }

    async fn connect(&self, request: &Value) -> Answer {
        let peer = self.dial(text(request, "addr")?.parse()?).await?;
        Ok(json!({"peer": peer.to_string(), "muxer_early": false}))
    }

    pub async fn dial(&self, addr: Multiaddr) -> Result<PeerId, Refusal> {
        if let Some(peer) = peer_of(&addr)
            && self.node.run(move |n| n.is_connected(&peer)).await
        {
            return Ok(peer);
        }
        let options = DialOpts::from(addr);
        let id = options.connection_id();
        self.node.run(move |n| n.swarm.dial(options)).await?;
        Ok(self.node.until(move |n| n.dials.remove(&id)).await?)
    }

    async fn disconnect(&self, request: &Value) -> Answer {
        let peer = peer(request)?;
        let known = self
            .node
            .run(move |n| n.swarm.disconnect_peer_id(peer))
            .await;
        known.map_err(|()| "not connected")?;
        self.node
            .until(move |n| (!n.is_connected(&peer)).then_some(()))
            .await;
        Ok(json!({}))
    }

    async fn connections(&self) -> Answer {
        let list = |n: &mut Node| -> Vec<Value> { n.connections.values().map(shown).collect() };
        Ok(json!({"peers": self.node.run(list).await}))
    }

    async fn identify(&self, request: &Value) -> Answer {
        self.not_bare("identify")?;
        let peer = peer(request)?;
        let info = self.node.until(move |n| n.infos.get(&peer).cloned()).await;
        let observed = (!info.observed_addr.is_empty()).then(|| info.observed_addr.to_string());
        Ok(json!({
            "agent": info.agent_version,
            "protocol_version": info.protocol_version,
            "protocols": strings(&info.protocols),
            "addrs": strings(&info.listen_addrs),
            "observed": observed,
        }))
    }

    async fn push(&self, request: &Value) -> Answer {
        self.not_bare("identify")?;
        let protocol = StreamProtocol::try_from_owned(text(request, "protocol")?.into())?;
        self.node
            .run(move |n| n.swarm.behaviour_mut().streams.serve(protocol))
            .await;
        Ok(json!({}))
    }

    /// The ping behaviour pings at its own pace, so only its first result is waited for. The pings that
    /// were asked for go over a stream of their own.
    async fn ping(&self, request: &Value) -> Answer {
        self.not_bare("ping")?;
        let peer = peer(request)?;
        self.node
            .until(move |n| n.pings.get(&peer).cloned())
            .await?;
        let interval = Duration::from_millis(number(request, "interval_ms").unwrap_or(0));
        let mut stream = self.open(peer, PING).await?;
        let mut rtts = Vec::new();
        for i in 0..number(request, "count")? {
            if i > 0 {
                sleep(interval).await;
            }
            let rtt = match services::ask_ping(&mut stream).await {
                Ok(rtt) => rtt,
                Err(_) => {
                    stream = self.open(peer, PING).await?; // the responder had enough of the old one
                    services::ask_ping(&mut stream).await?
                }
            };
            rtts.push(rtt);
        }
        Ok(json!({"rtts_us": rtts}))
    }

    async fn echo(&self, request: &Value) -> Answer {
        let stream = self.open(peer(request)?, services::ECHO).await?;
        match services::ask_echo(stream, number(request, "bytes")?).await? {
            true => Ok(json!({})),
            false => Err("other bytes came back".into()),
        }
    }

    async fn upload(&self, request: &Value) -> Answer {
        let stream = self.open(peer(request)?, services::SINK).await?;
        moved(services::ask_sink(stream, number(request, "size")?).await?)
    }

    async fn download(&self, request: &Value) -> Answer {
        let stream = self.open(peer(request)?, services::SOURCE).await?;
        moved(services::ask_source(stream, number(request, "size")?).await?)
    }

    async fn duplex(&self, request: &Value) -> Answer {
        let stream = self.open(peer(request)?, services::ECHO).await?;
        moved(services::ask_duplex(stream, number(request, "size")?).await?)
    }

    async fn streams(&self, request: &Value) -> Answer {
        let peer = peer(request)?;
        let count = number(request, "count")?;
        for _ in 0..count {
            let mut stream = self.open(peer, services::ECHO).await?;
            services::touch(&mut stream).await?;
            services::finish(stream).await?;
        }
        Ok(json!({"done": count}))
    }

    async fn streams_open(&self, request: &Value) -> Answer {
        let peer = peer(request)?;
        let mut held = Vec::new();
        for _ in 0..number(request, "count")? {
            let mut stream = self.open(peer, services::ECHO).await?;
            services::touch(&mut stream).await?;
            held.push(stream);
        }
        let done = held.len();
        for stream in held {
            services::finish(stream).await?;
        }
        Ok(json!({"done": done}))
    }

    async fn reset(&self, request: &Value) -> Answer {
        let stream = self.open(peer(request)?, services::RESET).await?;
        Ok(json!({"seen": services::ask_reset(stream).await?}))
    }

    async fn open(&self, peer: PeerId, protocol: StreamProtocol) -> Result<Stream, Refusal> {
        let (tx, rx) = oneshot::channel();
        self.node
            .run(move |n| n.swarm.behaviour_mut().streams.open(peer, protocol, tx))
            .await;
        Ok(rx.await.map_err(|_| "not connected")??)
    }

    fn not_bare(&self, what: &str) -> Result<(), Refusal> {
        if self.bare {
            Err(unsupported(&format!("--bare leaves {what} out")))
        } else {
            Ok(())
        }
    }
}

fn shown(connection: &crate::node::Connection) -> Value {
    json!({
        "peer": connection.peer.to_string(),
        "addr": connection.addr.to_string(),
        "inbound": connection.inbound,
    })
}

fn moved(moved: services::Moved) -> Answer {
    Ok(json!({"bytes": moved.bytes, "seconds": moved.seconds}))
}

pub fn strings<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

pub fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, String> {
    request[name].as_str().ok_or(format!("no {name}"))
}

pub fn number(request: &Value, name: &str) -> Result<u64, String> {
    request[name].as_u64().ok_or(format!("no {name}"))
}

pub fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, String> {
    hex::decode(text(request, name)?).map_err(|e| format!("{name}: {e}"))
}

pub fn peer(request: &Value) -> Result<PeerId, String> {
    text(request, "peer")?
        .parse()
        .map_err(|e| format!("peer: {e}"))
}

fn peer_of(addr: &Multiaddr) -> Option<PeerId> {
    match addr.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

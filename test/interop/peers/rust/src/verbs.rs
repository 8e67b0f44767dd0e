//! What each request of ../../../PROTOCOL.md does.

use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, gossipsub::IdentTopic, kad, multiaddr::Protocol,
    swarm::dial_opts::DialOpts,
};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Duration, Instant, sleep, sleep_until},
};

use crate::{
    args::Args,
    node::{Handle, Node, Query, without_peer},
    services,
};

const PING: StreamProtocol = StreamProtocol::new("/ipfs/ping/1.0.0");

pub struct Refusal {
    pub reason: String,
    pub unsupported: bool,
}

type Answer = Result<Value, Refusal>;

impl<E: ToString> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal {
            reason: error.to_string(),
            unsupported: false,
        }
    }
}

fn unsupported(reason: &str) -> Refusal {
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
            "kad_put" => {
                self.kad_put(bytes(request, "key")?, bytes(request, "value")?)
                    .await
            }
            "kad_get" => self.kad_get(request).await,
            "kad_put_pk" => self.kad_put_pk().await,
            "kad_provide" => self.kad_provide(request).await,
            "kad_providers" => self.kad_providers(request).await,
            "kad_find" => self.kad_find(request).await,
            "gossip_join" => self.gossip_join(request).await,
            "gossip_leave" => self.gossip_leave(request).await,
            "gossip_mesh" => self.gossip_mesh(request).await,
            "gossip_peers" => self.gossip_peers(request).await,
            "gossip_publish" => self.gossip_publish(request).await,
            "gossip_burst" => self.gossip_burst(request).await,
            other => Err(unsupported(&format!("no verb {other}"))),
        }
    }

    async fn connect(&self, request: &Value) -> Answer {
        let addr: Multiaddr = text(request, "addr")?.parse()?;
        if let Some(peer) = peer_of(&addr)
            && self.node.run(move |n| n.is_connected(&peer)).await
        {
            return Ok(connected(peer));
        }
        let options = DialOpts::from(addr);
        let id = options.connection_id();
        self.node.run(move |n| n.swarm.dial(options)).await?;
        let peer = self.node.until(move |n| n.dials.remove(&id)).await?;
        Ok(connected(peer))
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
        Ok(json!({
            "agent": info.agent_version,
            "protocol_version": info.protocol_version,
            "protocols": strings(&info.protocols),
            "addrs": strings(&info.listen_addrs),
            "observed": info.observed_addr.to_string(),
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
            rtts.push(services::ask_ping(&mut stream).await?);
        }
        services::finish(stream).await?;
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

    async fn kad_bootstrap(&self, request: &Value) -> Answer {
        let mut seeds = Vec::new();
        for seed in request["peers"].as_array().ok_or("no peers")? {
            let addr: Multiaddr = seed.as_str().ok_or("an address is a string")?.parse()?;
            seeds.push((
                peer_of(&addr).ok_or("an address without /p2p")?,
                without_peer(addr),
            ));
        }
        self.query(move |n| {
            let kad = &mut n.swarm.behaviour_mut().kad;
            for (peer, addr) in seeds {
                kad.add_address(&peer, addr);
            }
            kad.bootstrap().map_err(|e| e.to_string())
        })
        .await?;
        Ok(json!({"table": self.node.run(Node::kad_peers).await.len()}))
    }

    async fn kad_put(&self, key: Vec<u8>, value: Vec<u8>) -> Answer {
        let record = kad::Record::new(key, value);
        let put = move |n: &mut Node| {
            let kad = &mut n.swarm.behaviour_mut().kad;
            kad.put_record(record, kad::Quorum::One)
                .map_err(|e| e.to_string())
        };
        match self.query(put).await?.pop() {
            Some(kad::QueryResult::PutRecord(result)) => {
                result.map(|_| json!({})).map_err(Into::into)
            }
            _ => Err("no result".into()),
        }
    }

    /// Of two values of the namespace `v` the larger by bytes wins; a public key must hash to its name.
    async fn kad_get(&self, request: &Value) -> Answer {
        let key = bytes(request, "key")?;
        let asked = kad::RecordKey::new(&key);
        let results = self
            .query(move |n| Ok(n.swarm.behaviour_mut().kad.get_record(asked)))
            .await?;
        let values = results.into_iter().filter_map(found_value);
        let best = values.filter(|value| is_valid(&key, value)).max();
        Ok(json!({"value": hex::encode(best.ok_or("not found")?)}))
    }

    async fn kad_put_pk(&self) -> Answer {
        let key = [b"/pk/", &self.peer.to_bytes()[..]].concat();
        self.kad_put(key.clone(), self.public_key.clone()).await?;
        Ok(json!({"key": hex::encode(key)}))
    }

    async fn kad_provide(&self, request: &Value) -> Answer {
        let key = kad::RecordKey::new(&bytes(request, "cid_multihash")?);
        let provide = move |n: &mut Node| {
            let kad = &mut n.swarm.behaviour_mut().kad;
            kad.start_providing(key).map_err(|e| e.to_string())
        };
        match self.query(provide).await?.pop() {
            Some(kad::QueryResult::StartProviding(result)) => {
                result.map(|_| json!({})).map_err(Into::into)
            }
            _ => Err("no result".into()),
        }
    }

    async fn kad_providers(&self, request: &Value) -> Answer {
        let key = kad::RecordKey::new(&bytes(request, "cid_multihash")?);
        let count = number(request, "count")? as usize;
        let id = self
            .ask(move |n| Ok(n.swarm.behaviour_mut().kad.get_providers(key)))
            .await?;
        let found = self
            .node
            .until(move |n| {
                let query = n.queries.get(&id)?;
                let peers = providers(query);
                if peers.len() < count && !query.finished {
                    return None;
                }
                n.queries.remove(&id);
                if let Some(mut query) = n.swarm.behaviour_mut().kad.query_mut(&id) {
                    query.finish();
                }
                Some(peers)
            })
            .await;
        Ok(json!({"peers": found}))
    }

    async fn kad_find(&self, request: &Value) -> Answer {
        let peer = peer(request)?;
        let results = self
            .query(move |n| Ok(n.swarm.behaviour_mut().kad.get_closest_peers(peer)))
            .await?;
        let closest = results.into_iter().filter_map(|r| match r {
            kad::QueryResult::GetClosestPeers(Ok(ok)) => Some(ok.peers),
            _ => None,
        });
        let found = closest
            .flatten()
            .find(|info| info.peer_id == peer)
            .ok_or("not found")?;
        Ok(json!({"addrs": strings(found.addrs.into_iter().map(without_peer))}))
    }

    /// Starts a query and keeps what it reports.
    async fn ask(
        &self,
        start: impl FnOnce(&mut Node) -> Result<kad::QueryId, String> + Send + 'static,
    ) -> Result<kad::QueryId, String> {
        self.node
            .run(move |n| {
                let id = start(n)?;
                n.queries.insert(id, Query::default());
                Ok(id)
            })
            .await
    }

    async fn query(
        &self,
        start: impl FnOnce(&mut Node) -> Result<kad::QueryId, String> + Send + 'static,
    ) -> Result<Vec<kad::QueryResult>, String> {
        let id = self.ask(start).await?;
        let finished = move |n: &mut Node| {
            n.queries
                .get(&id)?
                .finished
                .then(|| n.queries.remove(&id).expect("just seen").results)
        };
        Ok(self.node.until(finished).await)
    }

    async fn gossip_join(&self, request: &Value) -> Answer {
        let topic = topic(request)?;
        self.node
            .run(move |n| n.swarm.behaviour_mut().gossip.subscribe(&topic))
            .await?;
        Ok(json!({}))
    }

    async fn gossip_leave(&self, request: &Value) -> Answer {
        let topic = topic(request)?;
        self.node
            .run(move |n| n.swarm.behaviour_mut().gossip.unsubscribe(&topic))
            .await;
        Ok(json!({}))
    }

    async fn gossip_mesh(&self, request: &Value) -> Answer {
        let topic = topic(request)?.hash();
        let mesh = move |n: &mut Node| strings(n.swarm.behaviour().gossip.mesh_peers(&topic));
        Ok(json!({"peers": self.node.run(mesh).await}))
    }

    async fn gossip_peers(&self, request: &Value) -> Answer {
        let topic = topic(request)?.hash();
        let subscribed = move |n: &mut Node| {
            let all = n.swarm.behaviour().gossip.all_peers();
            strings(
                all.filter(|(_, topics)| topics.contains(&&topic))
                    .map(|(peer, _)| peer),
            )
        };
        Ok(json!({"peers": self.node.run(subscribed).await}))
    }

    async fn gossip_publish(&self, request: &Value) -> Answer {
        self.publish(topic(request)?, bytes(request, "data")?)
            .await?;
        Ok(json!({}))
    }

    async fn gossip_burst(&self, request: &Value) -> Answer {
        let count = number(request, "count")?;
        let size = number(request, "size")? as usize;
        let interval = Duration::from_micros(number(request, "interval_us").unwrap_or(0));
        let start = Instant::now();
        for i in 0..count {
            sleep_until(start + interval * i as u32).await;
            let mut data = format!("{}-{i}", text(request, "prefix")?).into_bytes();
            data.resize(data.len().max(size), b'.');
            self.publish(topic(request)?, data).await?;
        }
        Ok(json!({"published": count}))
    }

    async fn publish(&self, topic: IdentTopic, data: Vec<u8>) -> Result<(), Refusal> {
        let publish = move |n: &mut Node| n.swarm.behaviour_mut().gossip.publish(topic, data);
        match self.node.run(publish).await {
            Ok(_) => Ok(()),
            Err(libp2p::gossipsub::PublishError::NoPeersSubscribedToTopic) if self.mesh_cut => Err(
                unsupported("publish refuses, and does not cache, what it can send to nobody"),
            ),
            Err(error) => Err(error.into()),
        }
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

fn connected(peer: PeerId) -> Value {
    json!({"peer": peer.to_string(), "muxer_early": false})
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

fn found_value(result: kad::QueryResult) -> Option<Vec<u8>> {
    match result {
        kad::QueryResult::GetRecord(Ok(kad::GetRecordOk::FoundRecord(found))) => {
            Some(found.record.value)
        }
        _ => None,
    }
}

fn is_valid(key: &[u8], value: &[u8]) -> bool {
    let Some(name) = key.strip_prefix(b"/pk/") else {
        return key.starts_with(b"/v/");
    };
    libp2p::identity::PublicKey::try_decode_protobuf(value)
        .is_ok_and(|public| public.to_peer_id().to_bytes() == name)
}

fn providers(query: &Query) -> Vec<String> {
    let sets = query.results.iter().filter_map(|result| match result {
        kad::QueryResult::GetProviders(Ok(kad::GetProvidersOk::FoundProviders {
            providers,
            ..
        })) => Some(providers),
        _ => None,
    });
    let mut peers = strings(sets.flatten());
    peers.sort();
    peers.dedup();
    peers
}

fn strings<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, String> {
    request[name].as_str().ok_or(format!("no {name}"))
}

fn number(request: &Value, name: &str) -> Result<u64, String> {
    request[name].as_u64().ok_or(format!("no {name}"))
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, String> {
    hex::decode(text(request, name)?).map_err(|e| format!("{name}: {e}"))
}

fn peer(request: &Value) -> Result<PeerId, String> {
    text(request, "peer")?
        .parse()
        .map_err(|e| format!("peer: {e}"))
}

fn topic(request: &Value) -> Result<IdentTopic, String> {
    Ok(IdentTopic::new(text(request, "topic")?))
}

fn peer_of(addr: &Multiaddr) -> Option<PeerId> {
    match addr.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

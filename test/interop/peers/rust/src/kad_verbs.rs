//! The verbs on Kademlia.

use libp2p::{Multiaddr, PeerId, kad};
use serde_json::{Value, json};

use crate::{
    node::{Node, Query, without_peer},
    verbs::{Answer, Refusal, Verbs, bytes, number, peer, strings},
};

impl Verbs {
    pub async fn kad_bootstrap(&self, request: &Value) -> Answer {
        for seed in request["peers"].as_array().ok_or("no peers")? {
            self.add_seed(seed.as_str().ok_or("an address is a string")?.parse()?)
                .await?;
        }
        self.node
            .until(|n| (!n.kad_peers().is_empty()).then_some(()))
            .await;
        self.query(|n| {
            n.swarm
                .behaviour_mut()
                .kad
                .bootstrap()
                .map_err(|e| e.to_string())
        })
        .await?;
        Ok(json!({"table": self.node.run(Node::kad_peers).await.len()}))
    }

    async fn add_seed(&self, addr: Multiaddr) -> Result<(), Refusal> {
        let peer = self.dial(addr.clone()).await?;
        let add = move |n: &mut Node| {
            let kad = &mut n.swarm.behaviour_mut().kad;
            kad.add_address(&peer, without_peer(addr));
        };
        self.node.run(add).await;
        Ok(())
    }

    pub async fn kad_put(&self, request: &Value) -> Answer {
        self.put(bytes(request, "key")?, bytes(request, "value")?)
            .await
    }

    /// With a smaller quorum the query would end while others of the closest have yet to be asked.
    async fn put(&self, key: Vec<u8>, value: Vec<u8>) -> Answer {
        let record = kad::Record::new(key, value);
        let put = move |n: &mut Node| {
            let kad = &mut n.swarm.behaviour_mut().kad;
            kad.put_record(record, kad::Quorum::All)
                .map_err(|e| e.to_string())
        };
        match self.query(put).await?.pop() {
            Some(kad::QueryResult::PutRecord(result)) => stored(result),
            _ => Err("no result".into()),
        }
    }

    /// Of two values of the namespace `v` the larger by bytes wins; a public key must hash to its name.
    pub async fn kad_get(&self, request: &Value) -> Answer {
        let key = bytes(request, "key")?;
        let asked = kad::RecordKey::new(&key);
        let results = self
            .query(move |n| Ok(n.swarm.behaviour_mut().kad.get_record(asked)))
            .await?;
        let values = results.into_iter().filter_map(found_value);
        let best = values.filter(|value| is_valid(&key, value)).max();
        Ok(json!({"value": hex::encode(best.ok_or("not found")?)}))
    }

    pub async fn kad_put_pk(&self) -> Answer {
        let key = [b"/pk/", &self.peer.to_bytes()[..]].concat();
        self.put(key.clone(), self.public_key.clone()).await?;
        Ok(json!({"key": hex::encode(key)}))
    }

    pub async fn kad_provide(&self, request: &Value) -> Answer {
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

    pub async fn kad_providers(&self, request: &Value) -> Answer {
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

    pub async fn kad_find(&self, request: &Value) -> Answer {
        let peer = peer(request)?;
        let results = self
            .query(move |n| Ok(n.swarm.behaviour_mut().kad.get_closest_peers(peer)))
            .await?;
        let closest = results.into_iter().filter_map(|r| match r {
            kad::QueryResult::GetClosestPeers(Ok(ok)) => Some(ok.peers),
            _ => None,
        });
        let mut found = closest
            .flatten()
            .find(|info| info.peer_id == peer)
            .ok_or("not found")?;
        if found.addrs.is_empty() {
            found.addrs = self.node.run(move |n| table_addrs(n, peer)).await;
        }
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
}

/// Few networks have as many nodes as rust-libp2p takes for all: one that stores is enough.
fn stored(result: kad::PutRecordResult) -> Answer {
    match result {
        Err(kad::PutRecordError::QuorumFailed { success, .. }) if !success.is_empty() => {
            Ok(json!({}))
        }
        result => result.map(|_| json!({})).map_err(Into::into),
    }
}

/// A query tells the addresses that others gave it; those of the own table it only uses.
fn table_addrs(node: &mut Node, peer: PeerId) -> Vec<Multiaddr> {
    let Some(bucket) = node.swarm.behaviour_mut().kad.kbucket(peer) else {
        return Vec::new();
    };
    let entry = bucket
        .iter()
        .find(|entry| *entry.node.key.preimage() == peer);
    entry.map_or_else(Vec::new, |entry| entry.node.value.iter().cloned().collect())
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

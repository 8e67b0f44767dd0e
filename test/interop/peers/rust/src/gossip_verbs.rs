//! The verbs on GossipSub.

use libp2p::gossipsub::{IdentTopic, PublishError};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep_until};

use crate::{
    gossip,
    node::Node,
    pump::Pump,
    verbs::{Answer, Refusal, Verbs, bytes, number, strings, text, unsupported},
};

impl Verbs {
    pub async fn gossip_join(&self, request: &Value) -> Answer {
        let topic = topic(request)?;
        let quiet = request["quiet"] == true;
        let join = move |n: &mut Node| {
            if quiet {
                n.pumps.insert(topic.hash(), Pump::new());
            }
            n.swarm.behaviour_mut().gossip.subscribe(&topic)
        };
        self.node.run(join).await?;
        Ok(json!({}))
    }

    pub async fn gossip_leave(&self, request: &Value) -> Answer {
        let topic = topic(request)?;
        self.node
            .run(move |n| n.swarm.behaviour_mut().gossip.unsubscribe(&topic))
            .await;
        Ok(json!({}))
    }

    pub async fn gossip_mesh(&self, request: &Value) -> Answer {
        let topic = topic(request)?.hash();
        let mesh = move |n: &mut Node| strings(n.swarm.behaviour().gossip.mesh_peers(&topic));
        Ok(json!({"peers": self.node.run(mesh).await}))
    }

    pub async fn gossip_peers(&self, request: &Value) -> Answer {
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

    pub async fn gossip_publish(&self, request: &Value) -> Answer {
        self.publish(topic(request)?, bytes(request, "data")?)
            .await?;
        Ok(json!({}))
    }

    pub async fn gossip_burst(&self, request: &Value) -> Answer {
        let count = number(request, "count")?;
        let size = number(request, "size")? as usize;
        let interval = Duration::from_micros(number(request, "interval_us").unwrap_or(0));
        let start = Instant::now();
        for i in 0..count {
            sleep_until(start + interval * i as u32).await;
            let mut data = format!("{}-{i}", text(request, "prefix")?).into_bytes();
            data.resize(data.len().max(size), b' ');
            self.publish(topic(request)?, data).await?;
        }
        Ok(json!({"published": count}))
    }

    pub async fn gossip_counts(&self) -> Answer {
        Ok(self.node.run(|n| gossip::counts(&n.counts)).await)
    }

    pub async fn gossip_scores(&self) -> Answer {
        let scores = |n: &mut Node| {
            let gossip = &n.swarm.behaviour().gossip;
            let peers = gossip.all_peers().map(|(peer, _)| peer);
            let told = peers.map(|peer| Some((peer.to_string(), gossip.peer_score(peer)?.into())));
            told.collect::<Option<serde_json::Map<String, Value>>>()
        };
        match self.node.run(scores).await {
            Some(scores) => Ok(json!({"scores": scores})),
            None => Err(unsupported("started without --gossip-scores")),
        }
    }

    async fn publish(&self, topic: IdentTopic, data: Vec<u8>) -> Result<(), Refusal> {
        let publish = move |n: &mut Node| n.swarm.behaviour_mut().gossip.publish(topic, data);
        match self.node.run(publish).await {
            Ok(_) => Ok(()),
            Err(PublishError::NoPeersSubscribedToTopic) if self.mesh_cut => Err(unsupported(
                "publish refuses, and does not cache, what it can send to nobody",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

fn topic(request: &Value) -> Result<IdentTopic, String> {
    Ok(IdentTopic::new(text(request, "topic")?))
}

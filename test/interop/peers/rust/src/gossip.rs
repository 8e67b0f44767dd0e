//! GossipSub as the command line wants it, and what it tells.

use std::{collections::HashSet, time::Duration};

use libp2p::gossipsub::{self, PeerScoreParams, PeerScoreThresholds, TopicScoreParams};
use prometheus_client::{encoding::text, registry::Registry};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    args::{Args, GossipId},
    say,
};

/// As much of a message as its event shows.
const SHOWN: usize = 64;

/// Its metrics go to `counts`.
pub fn behaviour(
    args: &Args,
    counts: &mut Registry,
) -> Result<gossipsub::Behaviour, Box<dyn std::error::Error + Send + Sync>> {
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
    if !args.gossip_hold.is_zero() {
        config.validate_messages();
    }
    if let Some(size) = args.gossip_rpc {
        config.max_transmit_size(size);
    }
    let mut gossip = gossipsub::Behaviour::new(authenticity, config.build()?)?
        .with_metrics(counts, gossipsub::MetricsConfig::default());
    if let Some(path) = &args.gossip_scores {
        let told = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        gossip.with_peer_score(score_params(&told)?, thresholds(&told))?;
    }
    Ok(gossip)
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

/// The file of --gossip-scores, but for P1, P3, P3b and rust's own slow peers, which are off.
fn score_params(told: &Value) -> Result<PeerScoreParams, Box<dyn std::error::Error + Send + Sync>> {
    let allowed = told["colocation_allowed"].as_str().unwrap_or_default();
    let topic = gossipsub::IdentTopic::new(told["topic"].as_str().unwrap_or_default());
    Ok(PeerScoreParams {
        topics: [(topic.hash(), topic_params(told))].into(),
        topic_score_cap: real(told, "topic_score_cap"),
        app_specific_weight: real(told, "application_weight"),
        ip_colocation_factor_weight: real(told, "colocation_weight"),
        ip_colocation_factor_threshold: real(told, "colocation_threshold"),
        ip_colocation_factor_whitelist: HashSet::from([allowed.parse()?]),
        behaviour_penalty_weight: real(told, "behaviour_weight"),
        behaviour_penalty_threshold: real(told, "behaviour_threshold"),
        behaviour_penalty_decay: real(told, "behaviour_decay"),
        decay_interval: Duration::from_secs_f64(real(told, "decay_interval")),
        decay_to_zero: real(told, "decay_to_zero"),
        retain_score: Duration::from_secs_f64(real(told, "retain")),
        slow_peer_weight: 0.0,
        ..Default::default()
    })
}

fn topic_params(told: &Value) -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: real(told, "weight"),
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: real(told, "first_deliveries_weight"),
        first_message_deliveries_decay: real(told, "first_deliveries_decay"),
        first_message_deliveries_cap: real(told, "first_deliveries_cap"),
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: real(told, "invalid_weight"),
        invalid_message_deliveries_decay: real(told, "invalid_decay"),
        ..Default::default()
    }
}

fn thresholds(told: &Value) -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: real(told, "gossip"),
        publish_threshold: real(told, "publish"),
        graylist_threshold: real(told, "graylist"),
        accept_px_threshold: real(told, "accept_px"),
        opportunistic_graft_threshold: real(told, "opportunistic_graft"),
    }
}

/// NaN, which validation refuses, if it is not there.
fn real(told: &Value, name: &str) -> f64 {
    told[name].as_f64().unwrap_or(f64::NAN)
}

/// What rust's metrics say of what was sent and received; of IHAVE and of what it wants or not it says less.
pub fn counts(registry: &Registry) -> Value {
    let mut told = String::new();
    if text::encode(&mut told, registry).is_err() {
        return json!({});
    }
    json!({
        "copies_in": sum(&told, "topic_msg_recv_counts_unfiltered_total"),
        "copies_out": sum(&told, "topic_msg_sent_counts_total"),
        "iwant_out": sum(&told, "topic_iwant_msgs_total"),
        "idontwant_in": sum(&told, "idontwant_msgs_ids_total"),
    })
}

/// Over all labels.
fn sum(told: &str, name: &str) -> u64 {
    let values = told.lines().filter_map(|line| {
        let (label, value) = line.rsplit_once(' ')?;
        let family = label.split('{').next()?;
        (family == name).then(|| value.parse::<u64>().ok())?
    });
    values.sum()
}

pub fn tell_message(id: &gossipsub::MessageId, message: &gossipsub::Message) {
    let shown = &message.data[..message.data.len().min(SHOWN)];
    say(json!({
        "event": "message",
        "topic": message.topic.to_string(),
        "from": message.source.map(|author| author.to_string()).unwrap_or_default(),
        "data": hex::encode(shown),
        "size": message.data.len(),
        "message_id": hex::encode(&id.0),
    }));
}

//! The command line of a test peer, as ../../../PROTOCOL.md lists it.

use std::time::Duration;

use libp2p::{Multiaddr, StreamProtocol, identity::Keypair};

pub enum GossipId {
    Go,
    Rust,
    Js,
    Py,
    Sha256,
}

pub struct Args {
    pub listen: Multiaddr,
    pub kad_protocol: StreamProtocol,
    pub kad_server: bool,
    pub key: Keypair,
    pub bare: bool,
    pub gossip_id: Option<GossipId>,
    pub gossip_signed: bool,
    pub gossip_d: Option<usize>,
    pub gossip_hold: Duration,
    pub gossip_rpc: Option<usize>,
    pub gossip_scores: Option<String>,
}

type Words = std::iter::Skip<std::env::Args>;

pub fn parse() -> Result<Args, String> {
    let mut args = Args {
        listen: "/ip4/127.0.0.1/tcp/0".parse().expect("an address"),
        kad_protocol: StreamProtocol::new("/kadmesh/kad/1.0.0"),
        kad_server: true,
        key: Keypair::generate_ed25519(),
        bare: false,
        gossip_id: None,
        gossip_signed: true,
        gossip_d: None,
        gossip_hold: Duration::ZERO,
        gossip_rpc: None,
        gossip_scores: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        apply(&mut args, &flag, &mut words)?;
    }
    Ok(args)
}

fn apply(args: &mut Args, flag: &str, words: &mut Words) -> Result<(), String> {
    match flag {
        "--bare" => args.bare = true,
        // rust-libp2p never puts a muxer into the Noise payload: nothing to switch off.
        "--no-early-muxer" => {}
        // It keeps what it is put, whatever it is.
        "--gullible" => {}
        _ => apply_value(
            args,
            flag,
            &words.next().ok_or(format!("{flag}: no value"))?,
        )?,
    }
    Ok(())
}

fn apply_value(args: &mut Args, flag: &str, value: &str) -> Result<(), String> {
    let bad = |error: String| format!("{flag} {value}: {error}");
    match flag {
        "--listen" => args.listen = value.parse().map_err(|e| bad(format!("{e}")))?,
        "--kad-protocol" => {
            args.kad_protocol =
                StreamProtocol::try_from_owned(value.into()).map_err(|e| bad(format!("{e}")))?
        }
        "--kad-mode" => args.kad_server = one_of(value, &["client", "server"]).map_err(bad)? == 1,
        "--seed" => args.key = key_of(value).map_err(bad)?,
        "--gossip-id" => args.gossip_id = Some(gossip_id(value).map_err(bad)?),
        "--gossip-sign" => {
            args.gossip_signed = one_of(value, &["none", "strict"]).map_err(bad)? == 1
        }
        "--gossip-d" => args.gossip_d = Some(value.parse().map_err(|e| bad(format!("{e}")))?),
        "--gossip-hold" => {
            args.gossip_hold =
                Duration::from_millis(value.parse().map_err(|e| bad(format!("{e}")))?)
        }
        "--gossip-rpc" => args.gossip_rpc = Some(value.parse().map_err(|e| bad(format!("{e}")))?),
        "--gossip-scores" => args.gossip_scores = Some(value.into()),
        _ => return Err(format!("unknown flag {flag}")),
    }
    Ok(())
}

fn one_of(value: &str, choices: &[&str]) -> Result<usize, String> {
    choices
        .iter()
        .position(|c| *c == value)
        .ok_or(format!("not one of {choices:?}"))
}

fn gossip_id(value: &str) -> Result<GossipId, String> {
    match value {
        "go" => Ok(GossipId::Go),
        "rust" => Ok(GossipId::Rust),
        "js" => Ok(GossipId::Js),
        "py" => Ok(GossipId::Py),
        "sha256" => Ok(GossipId::Sha256),
        _ => Err("not an id function".into()),
    }
}

fn key_of(seed: &str) -> Result<Keypair, String> {
    let seed = hex::decode(seed).map_err(|e| e.to_string())?;
    Keypair::ed25519_from_bytes(seed).map_err(|e| e.to_string())
}

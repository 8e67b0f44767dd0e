//! A test peer on rust-libp2p. It speaks the line protocol of ../../../PROTOCOL.md on its standard streams.

mod args;
mod gossip;
mod gossip_verbs;
mod kad_verbs;
mod node;
mod pump;
mod services;
mod streams;
mod verbs;

use std::{io::Write, time::Duration};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use verbs::{Refusal, Verbs};

const LIFE: Duration = Duration::from_secs(15 * 60);
const TIMEOUT_MS: u64 = 10_000;

/// One line on standard output.
pub fn say(line: Value) {
    let mut out = std::io::stdout().lock();
    let told = writeln!(out, "{line}").and_then(|()| out.flush());
    if told.is_err() {
        std::process::exit(0); // nobody reads any more
    }
}

/// The release that Cargo.toml pins: the crate itself does not tell.
fn version() -> &'static str {
    let line = include_str!("../Cargo.toml")
        .lines()
        .find(|l| l.starts_with("libp2p = "));
    line.and_then(|l| l.split_once("\"=")?.1.split_once('"'))
        .map_or("", |(version, _)| version)
}

#[tokio::main]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<(), String> {
    let args = args::parse()?;
    let (node, addrs) = node::start(&args).await?;
    let verbs = Verbs::new(node.spawn(), &args);
    say(json!({
        "event": "ready",
        "stack": "rust",
        "version": version(),
        "id": verbs.peer.to_string(),
        "addrs": addrs.iter().map(|a| a.to_string()).collect::<Vec<_>>(),
    }));
    tokio::select! {
        () = read_requests(verbs) => {}
        () = tokio::time::sleep(LIFE) => eprintln!("lived long enough"),
    }
    std::process::exit(0)
}

async fn read_requests(verbs: Verbs) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str::<Value>(&line) {
            Ok(request) => drop(tokio::spawn(answer(verbs.clone(), request))),
            Err(error) => eprintln!("not a request: {error}: {line}"),
        }
    }
}

async fn answer(verbs: Verbs, request: Value) {
    let limit = Duration::from_millis(request["timeout_ms"].as_u64().unwrap_or(TIMEOUT_MS));
    let answer = tokio::time::timeout(limit, verbs.answer(&request)).await;
    let mut line = match answer {
        Ok(Ok(fields)) => ok(fields),
        Ok(Err(refusal)) => refused(refusal),
        Err(_) => json!({"ok": false, "error": "timeout"}),
    };
    line["id"] = request["id"].clone();
    say(line);
    if request["cmd"] == "quit" {
        std::process::exit(0);
    }
}

fn ok(mut fields: Value) -> Value {
    fields["ok"] = true.into();
    fields
}

fn refused(refusal: Refusal) -> Value {
    let mut line = json!({"ok": false, "error": refusal.reason});
    if refusal.unsupported {
        line["unsupported"] = true.into();
    }
    line
}

//! Messages that are counted and not told, and the pump that publishes them: the verb gossip_pump.

use std::time::{SystemTime, UNIX_EPOCH};

use libp2p::gossipsub::{self, TopicHash};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep_until};

use crate::{
    node::Node,
    verbs::{Answer, Verbs, number, text},
};

const LEAST: usize = 16;

#[derive(Clone)]
struct Order {
    count: usize,
    size: usize,
    window: usize,
    others: usize,
    interval: Duration,
}

impl Order {
    fn of(request: &Value) -> Result<Self, String> {
        let number = |name| number(request, name).map(|n| n as usize);
        Ok(Self {
            count: number("count")?,
            size: number("size")?.max(LEAST),
            window: number("window")?,
            others: number("others")?,
            interval: Duration::from_micros(number("interval_us")? as u64),
        })
    }
}

/// Of one topic.
pub struct Pump {
    order: Option<Order>,
    nonce: u64,
    published: usize,
    came: usize,
    delays_us: Vec<i64>,
    failure: Option<String>,
}

impl Pump {
    pub fn new() -> Self {
        Self {
            order: None,
            nonce: u64::from(rand::rng().random::<u32>()) << 32,
            published: 0,
            came: 0,
            delays_us: Vec::new(),
            failure: None,
        }
    }

    pub fn take(&mut self, data: &[u8]) {
        let Some(time) = data.get(..8).and_then(|bytes| bytes.try_into().ok()) else {
            return;
        };
        self.came += 1;
        self.delays_us.push(now_us() - i64::from_be_bytes(time));
    }

    fn may_publish(&self) -> bool {
        self.order.as_ref().is_some_and(|o| {
            o.interval.is_zero()
                && self.published < o.count
                && self.came + o.window * o.others >= (self.published + 1) * o.others
        })
    }

    fn complete(&self) -> bool {
        let Some(order) = &self.order else {
            return false;
        };
        self.failure.is_some() || self.came == order.count * order.others
    }

    fn next(&mut self) -> Vec<u8> {
        let mut data = vec![0; self.order.as_ref().map_or(LEAST, |order| order.size)];
        data[..8].copy_from_slice(&now_us().to_be_bytes());
        data[8..LEAST].copy_from_slice(&self.nonce.to_be_bytes());
        self.nonce += 1;
        self.published += 1;
        data
    }

    /// Starts afresh: what comes from now on is the next run's.
    fn figures(&mut self, took: Duration) -> Answer {
        if let Some(failure) = self.failure.take() {
            return Err(failure.into());
        }
        let mut sorted = std::mem::take(&mut self.delays_us);
        sorted.sort_unstable();
        let quantile = |percent| sorted.get(sorted.len() * percent / 100).copied().unwrap_or(0);
        self.came = 0;
        self.order = None;
        Ok(json!({"seconds": took.as_secs_f64(), "p50_us": quantile(50), "p99_us": quantile(99)}))
    }
}

fn now_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |time| time.as_micros() as i64)
}

impl Node {
    pub fn on_pumped(&mut self, message: &gossipsub::Message) {
        if let Some(pump) = self.pumps.get_mut(&message.topic) {
            pump.take(&message.data);
            self.pump_more(&message.topic);
        }
    }

    fn pump_more(&mut self, topic: &TopicHash) {
        while self.pumps.get(topic).is_some_and(Pump::may_publish) {
            self.pump_one(topic);
        }
    }

    fn pump_one(&mut self, topic: &TopicHash) {
        let Some(pump) = self.pumps.get_mut(topic) else {
            return;
        };
        let data = pump.next();
        let published = self
            .swarm
            .behaviour_mut()
            .gossip
            .publish(topic.clone(), data);
        if let Err(error) = published {
            pump.failure = Some(error.to_string());
        }
    }

    fn begin(&mut self, topic: &TopicHash, order: Order) -> Result<(), String> {
        let pump = self.pumps.get_mut(topic).ok_or("not joined quietly")?;
        pump.order = Some(order);
        pump.published = 0;
        self.pump_more(topic);
        Ok(())
    }
}

impl Verbs {
    pub async fn gossip_pump(&self, request: &Value) -> Answer {
        let topic = gossipsub::IdentTopic::new(text(request, "topic")?).hash();
        let order = Order::of(request)?;
        let start = Instant::now();
        let (of, asked) = (topic.clone(), order.clone());
        self.node.run(move |n| n.begin(&of, asked)).await?;
        if !order.interval.is_zero() {
            for i in 0..order.count {
                sleep_until(start + order.interval * i as u32).await;
                let of = topic.clone();
                self.node.run(move |n| n.pump_one(&of)).await;
            }
        }
        let look = move |n: &mut Node| {
            let pump = n.pumps.get_mut(&topic)?;
            pump.complete().then(|| pump.figures(start.elapsed()))
        };
        self.node.until(look).await
    }
}

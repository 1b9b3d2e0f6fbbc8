// What the client tests in Rust share: ask the server, compare, poll.

#![allow(dead_code)]

use std::fmt::{Debug, Display};
use std::future::{poll_fn, Future};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use serde_json::{Map, Value};

static FAILED: AtomicBool = AtomicBool::new(false);

pub fn check(name: &str, good: bool, detail: impl Display) {
    if good {
        println!("ok - {name}");
    } else {
        FAILED.store(true, Ordering::Relaxed);
        println!("not ok - {name}: {detail}");
    }
}

pub fn equal<T: PartialEq + Debug>(name: &str, got: T, expected: T) {
    check(
        name,
        got == expected,
        format!("got {got:?}, expected {expected:?}"),
    );
}

pub fn done() -> ! {
    std::process::exit(FAILED.load(Ordering::Relaxed) as i32)
}

pub fn me() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    format!("{}:{}", host.trim(), std::process::id())
}

pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(300) {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    check(&format!("waited for {what}"), false, "in vain");
}

/// Asks once: what is not there stands in the queue from then on.
pub async fn is_queued(future: Pin<&mut impl Future>) -> bool {
    let mut future = future;
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

/// Where the server is, and as whom
pub fn dsn(labels: &[(&str, &str)]) -> String {
    let options: Vec<String> = labels
        .iter()
        .map(|(label, value)| format!("-c pgpool_stats.{label}={value}"))
        .collect();
    format!(
        "host={} port={} dbname={} user=app options='{}'",
        std::env::var("PGHOST").unwrap(),
        std::env::var("PGPORT").unwrap(),
        std::env::var("PGDATABASE").unwrap(),
        options.join(" ")
    )
}

/// The client has a runtime of its own, which cannot run inside of another
fn outside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// A connection of its own, in strict mode.
pub struct Reporter {
    client: ManuallyDrop<Client>,
    pool: &'static str,
    instance: String,
}

impl Reporter {
    pub fn new(pool: &'static str) -> Self {
        let labels = [
            ("pool", "reporter"),
            ("instance", "reporter"),
            ("strict_reports", "on"),
        ];
        let client = outside(|| Client::connect(&dsn(&labels), NoTls).unwrap());
        Reporter {
            client: ManuallyDrop::new(client),
            pool,
            instance: me(),
        }
    }

    pub fn report(&mut self, stats: &Value) {
        let query = "SELECT pgpool_stats.report($1, $2::text::jsonb, $3)";
        outside(|| {
            self.client
                .execute(query, &[&self.pool, &stats.to_string(), &self.instance])
        })
        .unwrap();
    }

    pub fn row(&mut self) -> Map<String, Value> {
        let query = "SELECT to_jsonb(i)::text FROM pgpool_stats.instances i WHERE pool = $1 AND instance = $2";
        let rows = outside(|| self.client.query(query, &[&self.pool, &self.instance])).unwrap();
        rows.first()
            .map_or_else(Map::new, |row| serde_json::from_str(row.get(0)).unwrap())
    }

    /// Report, and look at what is made of it
    pub fn compare(&mut self, step: &str, stats: &Value, expected: Value) {
        self.report(stats);
        let row = self.row();
        for (column, value) in expected.as_object().unwrap() {
            let got = row.get(column).unwrap_or(&Value::Null);
            match (got.as_f64(), value.as_f64()) {
                // times are cut to microseconds
                (Some(got), Some(value)) => check(
                    &format!("{step}: {column}"),
                    (got - value).abs() < 0.0015,
                    format!("got {got}, expected {value}"),
                ),
                _ => equal(&format!("{step}: {column}"), got, value),
            }
        }
        equal(
            &format!("{step}: nothing unmapped"),
            &row["unmapped"],
            &Value::Null,
        );
    }

    /// What the server counts itself, by the label
    pub fn connections(&mut self, step: &str, expected: u64) {
        until(&format!("{step}: {expected} connections"), || {
            self.row().get("connections").and_then(Value::as_u64) == Some(expected)
        });
    }
}

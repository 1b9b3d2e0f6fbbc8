// bb8: the view shows what Pool::state() says.  Debian has the pool without
// bb8-postgres, which is the ManageConnection below and more.

mod common;

use std::pin::pin;
use std::time::Duration;

use bb8::{ManageConnection, Pool, RunError};
use common::{check, done, dsn, is_queued, me, Reporter};
use serde_json::{json, Value};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Error, NoTls};

struct Connections(String);

impl ManageConnection for Connections {
    type Connection = Client;
    type Error = Error;

    async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.0, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn is_valid(&self, client: &mut Client) -> Result<(), Error> {
        client.simple_query("").await.map(|_| ())
    }

    fn has_broken(&self, client: &mut Client) -> bool {
        client.is_closed()
    }
}

// docs: begin bb8-report
fn stats<M: ManageConnection>(pool: &Pool<M>) -> Value {
    let state = pool.state();
    let counted = &state.statistics;
    json!({
        "connections": state.connections,
        "idle_connections": state.idle_connections,
        "max_size": pool.config().max_size,
        "get_started": counted.get_started,
        "get_direct": counted.get_direct,
        "get_waited": counted.get_waited,
        "get_timed_out": counted.get_timed_out,
        "get_wait_time": counted.get_wait_time.as_micros() as u64,
    })
}
// docs: end

fn look<M: ManageConnection>(
    server: &mut Reporter,
    pool: &Pool<M>,
    step: &str,
    status: &str,
    (open, held, waiting): (u32, u32, u64),
) {
    let counted = pool.state().statistics;
    server.compare(
        step,
        &stats(pool),
        json!({
            "dialect": "bb8",
            "max_size": 2,
            "unlimited": false,
            "open": open,
            "checked_out": held,
            "checked_in": open - held,
            "waiting": waiting,
            "checkouts": counted.get_started,
            "waits": counted.get_waited,
            "total_wait_time": counted.get_wait_time.as_micros() as f64 / 1000.0,
            "timeouts": counted.get_timed_out,
            "status": status,
        }),
    );
    server.connections(step, open.into());
}

fn main() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(waits());
    runtime.block_on(times_out());
    done()
}

async fn waits() {
    let mut server = Reporter::new("bb8");
    let manager = Connections(dsn(&[("pool", "bb8"), ("instance", &me())]));
    let pool = Pool::builder()
        .max_size(2)
        .connection_timeout(Duration::from_secs(300))
        .build(manager)
        .await
        .unwrap();
    let mut step =
        |step: &str, status: &str, figures| look(&mut server, &pool, step, status, figures);

    step("empty", "ok", (0, 0, 0));
    let first = pool.get().await.unwrap();
    step("partly used", "ok", (1, 1, 0));
    let second = pool.get().await.unwrap();
    step("full", "full", (2, 2, 0));

    let mut next = pin!(pool.get());
    check(
        "somebody waits",
        is_queued(next.as_mut()).await,
        "it has a connection",
    );
    step("waiting", "exhausted", (2, 2, 1));
    drop(second);
    let second = next.await.unwrap();
    step("handed over", "full", (2, 2, 0));

    // who does not wait any more stays counted, which shows when one is idle
    let cancelled = tokio::time::timeout(Duration::from_millis(50), pool.get()).await;
    check("cancelled", cancelled.is_err(), "it has a connection");
    drop(second);
    step("one given back", "ok", (2, 1, 0));
    drop(first);
    step("given back", "ok", (2, 0, 0));
}

async fn times_out() {
    let mut server = Reporter::new("bb8_short");
    let manager = Connections(dsn(&[("pool", "bb8_short"), ("instance", &me())]));
    let connections = (
        manager.connect().await.unwrap(),
        manager.connect().await.unwrap(),
    );
    let short = Pool::builder()
        .max_size(2)
        .test_on_check_out(false)
        .connection_timeout(Duration::from_millis(50));
    let pool = short.build(manager).await.unwrap();
    pool.add(connections.0).unwrap();
    pool.add(connections.1).unwrap();
    let _held = (pool.get().await.unwrap(), pool.get().await.unwrap());

    let refused = pool.get().await;
    check(
        "timed out: the caller is told",
        matches!(refused, Err(RunError::TimedOut)),
        "it has a connection",
    );
    look(&mut server, &pool, "timed out", "full", (2, 2, 0));
}

// deadpool: the view shows what Pool::status() says.  Debian has the pool without
// deadpool-postgres, which is the Manager below and more.

mod common;

use std::pin::pin;

use common::{check, done, dsn, equal, is_queued, me, Reporter};
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleResult, Timeouts};
use deadpool::Runtime::Tokio1;
use serde_json::{json, Value};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Error, NoTls};

// docs: begin deadpool-report
fn stats<M: Manager>(pool: &Pool<M>) -> Value {
    let status = pool.status();
    json!({
        "dialect": "deadpool", // its words are those of many
        "max_size": status.max_size,
        "size": status.size,
        "available": status.available,
        "waiting": status.waiting,
    })
}
// docs: end

struct Connections(String);

impl Manager for Connections {
    type Type = Client;
    type Error = Error;

    async fn create(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.0, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn recycle(&self, client: &mut Client, _: &Metrics) -> RecycleResult<Error> {
        client.simple_query("").await?;
        Ok(())
    }
}

fn main() {
    let mut server = Reporter::new("deadpool");
    let runtime = Runtime::new().unwrap();
    let manager = Connections(dsn(&[("pool", "deadpool"), ("instance", &me())]));
    let pool = Pool::builder(manager)
        .max_size(2)
        .runtime(Tokio1)
        .build()
        .unwrap();

    let mut step = |step: &str, status: &str, connections: usize, held: usize, waiting: usize| {
        server.compare(
            step,
            &stats(&pool),
            json!({
                "dialect": "deadpool",
                "max_size": 2,
                "unlimited": false,
                "open": connections,
                "checked_out": held,
                "checked_in": connections - held,
                "waiting": waiting,
                "checkouts": null,
                "waits": null,
                "timeouts": null,
                "status": status,
            }),
        );
        server.connections(step, connections as u64);
    };
    let take = || -> Object<Connections> { runtime.block_on(pool.get()).ok().unwrap() };

    step("empty", "ok", 0, 0, 0);
    let first = take();
    step("partly used", "ok", 1, 1, 0);
    let second = take();
    step("full", "full", 2, 2, 0);

    runtime.block_on(async {
        let mut next = pin!(pool.get());
        check(
            "somebody waits",
            is_queued(next.as_mut()).await,
            "it has a connection",
        );
        step("waiting", "exhausted", 2, 2, 1);
        drop(second);
        let handed_over = next.await.ok().unwrap();
        step("handed over", "full", 2, 2, 0);
        drop(handed_over);
    });
    step("one given back", "ok", 2, 1, 0);

    let second = take();
    let short = Timeouts::wait_millis(50);
    let refused = runtime.block_on(pool.timeout_get(&short));
    check(
        "timed out: the caller is told",
        matches!(refused, Err(PoolError::Timeout(_))),
        "no",
    );
    step("timed out", "full", 2, 2, 0);

    drop(first);
    drop(second);
    step("given back", "ok", 2, 0, 0);
    pool.close();
    equal("closed: the pool is empty", pool.status().size, 0);
    done()
}

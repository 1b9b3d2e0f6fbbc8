// sqlx: the view shows what the pool says.

mod common;

use std::pin::pin;
use std::time::Duration;

use common::{check, done, equal, is_queued, me, until, Reporter};
use serde_json::{json, Value};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::runtime::Runtime;
use tokio::time::timeout;

// docs: begin sqlx-report
fn stats(pool: &PgPool) -> Value {
    json!({
        "size": pool.size(),
        "num_idle": pool.num_idle(),
        "max_connections": pool.options().get_max_connections(),
        "min_connections": pool.options().get_min_connections(),
    })
}
// docs: end

fn main() {
    let mut server = Reporter::new("sqlx");
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();

    // docs: begin sqlx-label
    let options = PgConnectOptions::new().username("app").options([
        ("pgpool_stats.pool", "sqlx"),
        ("pgpool_stats.instance", &me()),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .connect_lazy_with(options);
    // docs: end

    let mut step = |step: &str, status: &str, connections: u32, held: u32| {
        server.compare(
            step,
            &stats(&pool),
            json!({
                "dialect": "sqlx",
                "max_size": 2,
                "min_size": 0,
                "unlimited": false,
                "open": connections,
                "checked_out": held,
                "checked_in": connections - held,
                "waiting": null,
                "checkouts": null,
                "waits": null,
                "timeouts": null,
                "status": status,
            }),
        );
        server.connections(step, connections as u64);
    };
    let take = || runtime.block_on(pool.acquire()).unwrap();

    step("empty", "ok", 0, 0);
    let first = take();
    step("partly used", "ok", 1, 1);
    let second = take();
    step("full", "exhausted", 2, 2);

    // nothing tells who waits
    runtime.block_on(async {
        let mut next = pin!(pool.acquire());
        check(
            "somebody waits",
            is_queued(next.as_mut()).await,
            "it has a connection",
        );
        step("waiting", "exhausted", 2, 2);
        drop(second);
        let handed_over = next.await.unwrap();
        step("handed over", "exhausted", 2, 2);
        drop(handed_over);
    });
    until("one given back", || pool.num_idle() == 1);
    step("one given back", "ok", 2, 1);

    let second = take();
    let cancelled =
        runtime.block_on(async { timeout(Duration::from_millis(50), pool.acquire()).await });
    check("cancelled", cancelled.is_err(), "it has a connection");
    step("cancelled", "exhausted", 2, 2);

    drop(first);
    drop(second);
    until("all given back", || pool.num_idle() == 2);
    step("given back", "ok", 2, 0);
    runtime.block_on(pool.close());
    equal("closed: the pool is empty", pool.size(), 0);
    done()
}

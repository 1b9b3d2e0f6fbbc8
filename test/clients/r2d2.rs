// r2d2: the view shows what Pool::state() says.  Debian has the pool without
// r2d2_postgres, which is the ManageConnection below and more.

mod common;

use std::time::Duration;

use common::{check, done, dsn, me, until, Reporter};
use postgres::{Client, Error, NoTls};
use r2d2::{ManageConnection, Pool};
use serde_json::{json, Value};

struct Connections(String);

impl ManageConnection for Connections {
    type Connection = Client;
    type Error = Error;

    fn connect(&self) -> Result<Client, Error> {
        Client::connect(&self.0, NoTls)
    }

    fn is_valid(&self, client: &mut Client) -> Result<(), Error> {
        client.simple_query("").map(|_| ())
    }

    fn has_broken(&self, client: &mut Client) -> bool {
        client.is_closed()
    }
}

// docs: begin r2d2-report
fn stats<M: ManageConnection>(pool: &Pool<M>) -> Value {
    let state = pool.state();
    json!({
        "connections": state.connections,
        "idle_connections": state.idle_connections,
        "max_size": pool.max_size(),
        "min_idle": pool.min_idle(),
    })
}
// docs: end

fn main() {
    let mut server = Reporter::new("r2d2");
    let manager = Connections(dsn(&[("pool", "r2d2"), ("instance", &me())]));
    let pool = Pool::builder()
        .max_size(2)
        .min_idle(Some(1))
        .build(manager)
        .unwrap();

    // connections are opened by a thread of the pool's
    let mut step = |step: &str, status: &str, connections: u32, held: u32| {
        until(step, || {
            let state = pool.state();
            state.connections == connections && state.connections - state.idle_connections == held
        });
        server.compare(
            step,
            &stats(&pool),
            json!({
                "dialect": "r2d2",
                "max_size": 2,
                "min_size": 1,
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

    step("as many as it keeps idle", "ok", 1, 0);
    let first = pool.get().unwrap();
    step("partly used", "ok", 2, 1);
    let second = pool.get().unwrap();
    step("full", "exhausted", 2, 2);

    // nothing tells who waits
    let next = {
        let pool = pool.clone();
        std::thread::spawn(move || pool.get().unwrap())
    };
    drop(second);
    let second = next.join().unwrap();
    step("handed over", "exhausted", 2, 2);

    let refused = pool.get_timeout(Duration::from_millis(50));
    check(
        "timed out: the caller is told",
        refused.is_err(),
        "it has a connection",
    );
    step("timed out", "exhausted", 2, 2);

    drop(second);
    step("one given back", "ok", 2, 1);
    drop(first);
    step("given back", "ok", 2, 0);
    done()
}

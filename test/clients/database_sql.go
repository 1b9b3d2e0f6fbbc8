// Go database/sql with lib/pq: the view shows what DB.Stats() says.

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"pgpoolstats"
)

const name = "database_sql"

func main() {
	r := newReporter()
	dsn := "user=app sslmode=disable work_mem=5MB"
	// docs: begin database-sql
	db, err := pgpoolstats.Open("postgres", dsn, "database_sql")
	// docs: end
	must(err)
	ctx := context.Background()

	own := me() + ".own" // what the library itself says; the pool reports beside it

	step := func(step, status string, connections, held int) {
		stats := db.Stats()
		text, _ := json.Marshal(stats)
		check(step+": has its row", r.report(name, text, own))
		equal(step+": the pool lent what is held", stats.InUse, held)
		var max interface{}
		if stats.MaxOpenConnections > 0 {
			max = stats.MaxOpenConnections
		}
		r.compare(step, name, own, map[string]interface{}{
			"dialect":     "database_sql",
			"max_size":    max,
			"unlimited":   stats.MaxOpenConnections == 0,
			"open":        stats.OpenConnections,
			"checked_in":  stats.Idle,
			"checked_out": stats.InUse,
			"waits":       stats.WaitCount,
			// nanoseconds, shown as milliseconds
			"total_wait_time": float64(stats.WaitDuration.Microseconds()) / 1000,
			"waiting":         nil,
			"timeouts":        nil,
			"checkouts":       nil,
			"status":          status,
		})
		r.connections(step, name, me(), connections)
	}
	take := func() *sql.Conn {
		conn, err := db.Conn(ctx)
		must(err)
		return conn
	}

	// without a limit
	step("empty, no limit", "ok", 0, 0)
	held := []*sql.Conn{take()}
	step("used, no limit", "ok", 1, 1)

	db.SetMaxOpenConns(2)
	step("partly used", "ok", 1, 1)
	held = append(held, take())
	step("full", "exhausted", 2, 2)

	// WaitCount counts when the wait begins, WaitDuration when it ends
	got := make(chan *sql.Conn)
	go func() { got <- take() }()
	until("a waiting caller", func() bool { return db.Stats().WaitCount == 1 })
	step("waiting", "exhausted", 2, 2)
	equal("waiting: no time yet", db.Stats().WaitDuration, time.Duration(0))
	time.Sleep(20 * time.Millisecond)
	held[1].Close()
	held[1] = <-got
	step("handed over", "exhausted", 2, 2)
	check("handed over: the time is there", db.Stats().WaitDuration >= 20*time.Millisecond)

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	_, err = db.Conn(short)
	cancel()
	equal("timed out: the library says so", err, context.DeadlineExceeded)
	step("timed out", "exhausted", 2, 2)

	var memory, label string
	must(held[0].QueryRowContext(ctx, "SELECT current_setting('work_mem'),"+
		" current_setting('pgpool_stats.instance')").Scan(&memory, &label))
	equal("the label stands beside other parameters", memory+" "+label, "5MB "+me())
	until("a report", func() bool { return r.row(name, me())["dialect"] == "database_sql" })

	held[1].Close()
	step("one returned", "ok", 2, 1)
	held[0].Close()
	step("returned", "ok", 2, 0)
	must(db.Close())
	step("closed", "ok", 0, 0)
	check("closed: forgotten", r.row(name, me()) == nil)

	// pools that connect alike share a connection for their reports
	for i := 0; i < 6; i++ {
		one, err := pgpoolstats.Open("postgres", dsn, fmt.Sprintf("gomany%d", i))
		must(err)
		must(one.Ping())
	}
	r.inOne("gomany", 6)
	done()
}

// Go database/sql with lib/pq: the view shows what DB.Stats() says.

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const name = "database_sql"

// docs: begin database-sql-label
func open() (*sql.DB, error) {
	host, _ := os.Hostname()
	return sql.Open("postgres", fmt.Sprintf("user=app sslmode=disable"+
		" pgpool_stats.pool=database_sql pgpool_stats.instance=%s:%d", host, os.Getpid()))
}

// docs: end

// docs: begin database-sql-report

// reportForever is a goroutine beside db. dsn is for connections of its own.
func reportForever(ctx context.Context, dsn, name string, db *sql.DB, every time.Duration) {
	own, err := sql.Open("postgres", dsn)
	if err != nil {
		return
	}
	defer own.Close()
	own.SetMaxOpenConns(1)
	own.SetMaxIdleConns(0) // connect for each report
	host, _ := os.Hostname()
	me := fmt.Sprintf("%s:%d", host, os.Getpid())
	for tick := time.NewTicker(every); ; {
		turn, cancel := context.WithTimeout(ctx, 5*time.Second)
		var there bool
		err := own.QueryRowContext(turn, "SELECT to_regprocedure("+
			"'pgpool_stats.report(text,jsonb,text)') IS NOT NULL").Scan(&there)
		if err == nil && !there {
			cancel()
			return // a server without the extension
		}
		if err == nil {
			stats, _ := json.Marshal(db.Stats())
			own.ExecContext(turn, "SELECT pgpool_stats.report($1, $2, $3)", name, string(stats), me)
		}
		cancel() // after an error the next turn tries again
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// docs: end

func main() {
	r := newReporter()
	db, err := open()
	must(err)
	ctx := context.Background()

	step := func(step, status string, connections, held int) {
		stats := db.Stats()
		text, _ := json.Marshal(stats)
		check(step+": has its row", r.report(name, text, me()))
		equal(step+": the pool lent what is held", stats.InUse, held)
		var max interface{}
		if stats.MaxOpenConnections > 0 {
			max = stats.MaxOpenConnections
		}
		r.compare(step, name, me(), map[string]interface{}{
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

	// the documented goroutine reports what the exhausted pool could not
	_, err = r.db.Exec("SELECT pgpool_stats.forget($1, $2)", name, me())
	must(err)
	running, stop := context.WithCancel(ctx)
	ended := make(chan bool)
	dsn := "user=app sslmode=disable pgpool_stats.pool=reports pgpool_stats.strict_reports=on"
	go func() { reportForever(running, dsn, name, db, 30*time.Millisecond); ended <- true }()
	until("the goroutine's report", func() bool { return r.row(name, me())["checked_out"] == 2.0 })
	r.compare("the goroutine", name, me(), map[string]interface{}{"status": "exhausted"})
	stop()
	<-ended
	go func() { reportForever(ctx, dsn+" dbname=postgres", name, db, 30*time.Millisecond); ended <- true }()
	select {
	case <-ended:
		check("without the extension: the goroutine ends", true)
	case <-time.After(10 * time.Second):
		check("without the extension: the goroutine ends", false)
	}

	held[1].Close()
	step("one returned", "ok", 2, 1)
	held[0].Close()
	step("returned", "ok", 2, 0)
	must(db.Close())
	step("closed", "ok", 0, 0)
	done()
}

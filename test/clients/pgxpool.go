// pgxpool v4: the view shows what Pool.Stat() says.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v4/pgxpool"
)

const name = "pgxpool"

// docs: begin pgxpool-label
func open(ctx context.Context) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig("user=app pool_max_conns=2")
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	config.ConnConfig.RuntimeParams["pgpool_stats.pool"] = "pgxpool"
	config.ConnConfig.RuntimeParams["pgpool_stats.instance"] = fmt.Sprintf("%s:%d", host, os.Getpid())
	return pgxpool.ConnectConfig(ctx, config)
}

// docs: end

// docs: begin pgxpool-stats

// The fields of Stat are private: json.Marshal of it says {}.
func stats(pool *pgxpool.Pool) map[string]interface{} {
	s := pool.Stat()
	host, _ := os.Hostname()
	return map[string]interface{}{
		"MaxConns":             s.MaxConns(),
		"TotalConns":           s.TotalConns(),
		"AcquiredConns":        s.AcquiredConns(),
		"IdleConns":            s.IdleConns(),
		"ConstructingConns":    s.ConstructingConns(),
		"AcquireCount":         s.AcquireCount(),
		"AcquireDuration":      s.AcquireDuration(),
		"EmptyAcquireCount":    s.EmptyAcquireCount(),
		"CanceledAcquireCount": s.CanceledAcquireCount(),
		"host":                 host,
		"pid":                  os.Getpid(),
	}
}

// docs: end

func main() {
	r := newReporter()
	ctx := context.Background()
	pool, err := open(ctx)
	must(err)

	step := func(step, status string, connections, held int) {
		s := pool.Stat()
		text, _ := json.Marshal(stats(pool))
		check(step+": has its row", r.report(name, text, me()))
		equal(step+": the pool lent what is held", int(s.AcquiredConns()), held)
		r.compare(step, name, me(), map[string]interface{}{
			"dialect":     "pgxpool",
			"max_size":    s.MaxConns(),
			"open":        s.TotalConns(),
			"checked_in":  s.IdleConns(),
			"checked_out": held,
			"checkouts":   s.AcquireCount(),
			"waits":       s.EmptyAcquireCount(),
			"timeouts":    s.CanceledAcquireCount(),
			// of all checkouts; nanoseconds, shown as milliseconds
			"total_wait_time": float64(s.AcquireDuration().Microseconds()) / 1000,
			"waiting":         nil,
			"status":          status,
		})
		r.connections(step, name, me(), connections)
	}
	take := func() *pgxpool.Conn {
		conn, err := pool.Acquire(ctx)
		must(err)
		return conn
	}

	until("the first connection", func() bool { return pool.Stat().AcquiredConns() == 0 })
	naive, _ := json.Marshal(pool.Stat())
	equal("json.Marshal(Stat())", string(naive), "{}")

	// the first connection is opened, and lent once, by Connect itself
	equal("connecting acquires once", pool.Stat().AcquireCount(), int64(1))
	step("empty", "ok", 1, 0)
	held := []*pgxpool.Conn{take()}
	step("partly used", "ok", 1, 1)
	held = append(held, take())
	step("full", "exhausted", 2, 2)

	got := make(chan *pgxpool.Conn)
	go func() { got <- take() }()
	time.Sleep(50 * time.Millisecond)
	step("waiting", "exhausted", 2, 2)
	held[1].Release()
	held[1] = <-got
	step("handed over", "exhausted", 2, 2)

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	_, err = pool.Acquire(short)
	cancel()
	check("timed out: the library says so", err != nil)
	step("timed out", "exhausted", 2, 2)
	equal("timed out: counted", pool.Stat().CanceledAcquireCount(), int64(1))

	held[1].Release()
	until("one returned", func() bool { return pool.Stat().IdleConns() == 1 })
	step("one returned", "ok", 2, 1)
	held[0].Release()
	until("all returned", func() bool { return pool.Stat().IdleConns() == 2 })
	step("returned", "ok", 2, 0)
	pool.Close()
	r.connections("closed", name, me(), 0)
	done()
}

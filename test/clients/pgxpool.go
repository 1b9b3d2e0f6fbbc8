// pgxpool v4: the view shows what Pool.Stat() says.

package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v4/pgxpool"
	"pgpoolstats/pgxv4"
)

const name = "pgxpool"

// The fields of Stat are private: json.Marshal of it says {}.
func stats(pool *pgxpool.Pool) map[string]interface{} {
	s := pool.Stat()
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
	}
}

func main() {
	r := newReporter()
	ctx := context.Background()
	config, err := pgxpool.ParseConfig("user=app pool_max_conns=2")
	must(err)
	// docs: begin pgxpool
	pool, err := pgxv4.ConnectConfig(ctx, config, "pgxpool")
	// docs: end
	must(err)
	own := me() + ".own" // what the library itself says; the pool reports beside it

	step := func(step, status string, connections, held int) {
		s := pool.Stat()
		text, _ := json.Marshal(stats(pool))
		check(step+": has its row", r.report(name, text, own))
		equal(step+": the pool lent what is held", int(s.AcquiredConns()), held)
		r.compare(step, name, own, map[string]interface{}{
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
	until("a report", func() bool { return r.row(name, me())["dialect"] == "pgxpool" })

	// of several servers, on one host here
	config, err = pgxpool.ParseConfig("user=app host=127.0.0.1,127.0.0.1 port=1," + os.Getenv("PGPORT"))
	must(err)
	several, err := pgxv4.ConnectConfig(ctx, config, "pgxpool-several")
	must(err)
	until("a report", func() bool { return r.row("pgxpool-several", me())["dialect"] == "pgxpool" })
	notes, _ := r.row("pgxpool-several", me())["notes"].(string)
	check("several servers", strings.Contains(notes, "its figures are of connections to 2 servers"))
	several.Close()

	pool.Close()
	pgxv4.Goodbye()
	until("closed: forgotten", func() bool { return r.row(name, me()) == nil })
	done()
}

// Package pgxv4 watches a pgxpool of pgx v4; see package pgpoolstats.
//
//	pool, err := pgxv4.ConnectConfig(ctx, config, "orders")   // for pgxpool.ConnectConfig
//	defer pgxv4.Goodbye()
package pgxv4

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"

	"pgpoolstats"
)

// ConnectConfig is pgxpool.ConnectConfig for a pool that is watched.
func ConnectConfig(ctx context.Context, config *pgxpool.Config, name string) (*pgxpool.Pool, error) {
	var pool atomic.Value
	config = config.Copy()
	theirs := config.BeforeConnect

	prepare := func(ctx context.Context, conn *pgx.ConnConfig, params map[string]string) error {
		if theirs != nil {
			if err := theirs(ctx, conn); err != nil {
				return err
			}
		}
		for name, value := range params {
			conn.RuntimeParams[name] = value
		}
		return nil
	}
	watched := pgpoolstats.Watch(&pgpoolstats.Pool{
		Name:  name,
		Stats: func() interface{} { return stats(pool.Load(), config) },
		Key:   func() string { return "pgx " + config.ConnString() },
		Hosts: hosts(config),
		Open: func(ctx context.Context, params map[string]string) (pgpoolstats.Conn, error) {
			own := config.ConnConfig.Copy()
			// through a pooler the next statement may be on another server connection
			own.PreferSimpleProtocol = true
			if err := prepare(ctx, own, params); err != nil {
				return nil, err
			}
			conn, err := pgx.ConnectConfig(ctx, own)
			if err != nil {
				return nil, err
			}
			return ours{conn}, nil
		},
	})
	config.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		return prepare(ctx, conn, watched.Connecting(ctx))
	}
	made, err := pgxpool.ConnectConfig(ctx, config)
	if err == nil {
		pool.Store(made)
	}
	return made, err
}

// hosts is how many servers its connections may be on; a host may have several.
func hosts(config *pgxpool.Config) int {
	type server struct {
		host string
		port uint16
	}
	servers := map[server]bool{{config.ConnConfig.Host, config.ConnConfig.Port}: true}
	for _, fallback := range config.ConnConfig.Fallbacks {
		servers[server{fallback.Host, fallback.Port}] = true
	}
	return len(servers)
}

// The fields of Stat are private: they are told by hand.
func stats(pool interface{}, config *pgxpool.Config) map[string]interface{} {
	made, is := pool.(*pgxpool.Pool)
	if !is { // it is being made
		return map[string]interface{}{"MaxConns": config.MaxConns, "TotalConns": 0, "AcquireCount": 0}
	}
	s := made.Stat()
	return map[string]interface{}{
		"MaxConns":             s.MaxConns(),
		"MinConns":             config.MinConns,
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

type ours struct{ conn *pgx.Conn }

func (c ours) Query(ctx context.Context, query string, args ...interface{}) (answer bool, err error) {
	err = c.conn.QueryRow(ctx, query, args...).Scan(&answer)
	return answer, err
}

func (c ours) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), pgpoolstats.CloseTimeout)
	defer cancel()
	_ = c.conn.Close(ctx)
}

// Goodbye is to be called when the pool is closed, which a pgxpool does not tell:
// the server forgets all pools of this process.  It takes at most 1 s.
func Goodbye() { pgpoolstats.Goodbye() }

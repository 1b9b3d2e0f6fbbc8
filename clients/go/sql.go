package pgpoolstats

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"sort"
	"strings"
	"sync/atomic"
)

// Open is sql.Open for a pool that is watched.
func Open(driverName, dsn, name string) (*sql.DB, error) {
	return OpenFunc(driverName, func(context.Context) (string, error) { return dsn, nil }, name)
}

// OpenFunc does so with a DSN that is asked for anew for each connection, as
// where passwords change.
func OpenFunc(driverName string, dsn func(context.Context) (string, error), name string) (*sql.DB, error) {
	first, err := dsn(context.Background())
	if err != nil {
		return nil, err
	}
	checked, err := sql.Open(driverName, first)
	if err != nil {
		return nil, err
	}
	own := &connector{driver: checked.Driver(), dsn: dsn}
	_ = checked.Close()

	db := sql.OpenDB(own)
	own.pool = Watch(&Pool{
		Name:  name,
		Stats: func() interface{} { return db.Stats() },
		Key: func() string {
			dsn, _ := own.last.Load().(string)
			return driverName + " " + dsn
		},
		Open: func(ctx context.Context, params map[string]string) (Conn, error) {
			params["connect_timeout"] = "5"
			conn := sql.OpenDB(&dialer{own, params})
			conn.SetMaxOpenConns(1)
			return sqlConn{conn}, nil
		},
	})
	return db, nil
}

// connector opens the pool's connections.
type connector struct {
	driver driver.Driver
	dsn    func(context.Context) (string, error)
	last   atomic.Value // DSN
	pool   *Pool
}

func (c *connector) Driver() driver.Driver { return c.driver }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connect(ctx, c.pool.Connecting(ctx))
	c.pool.Refused(err)
	return conn, err
}

// Close is called by Close of the pool.
func (c *connector) Close() error {
	c.pool.Stop()
	return nil
}

func (c *connector) connect(ctx context.Context, params map[string]string) (driver.Conn, error) {
	dsn, err := c.dsn(ctx)
	if err != nil {
		return nil, err
	}
	c.last.Store(dsn)
	dsn = with(dsn, params)
	if contextual, is := c.driver.(driver.DriverContext); is {
		made, err := contextual.OpenConnector(dsn)
		if err != nil {
			return nil, err
		}
		return made.Connect(ctx)
	}
	return c.driver.Open(dsn)
}

// dialer opens connections of ours in the same way.
type dialer struct {
	*connector
	params map[string]string
}

func (d *dialer) Connect(ctx context.Context) (driver.Conn, error) { return d.connect(ctx, d.params) }
func (d *dialer) Close() error                                     { return nil }

type sqlConn struct{ db *sql.DB }

func (c sqlConn) Close() { _ = c.db.Close() }

func (c sqlConn) Query(ctx context.Context, query string, args ...interface{}) (answer bool, err error) {
	// a driver may prepare it first: through a pooler, that is to be on the same
	// server connection
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	if err = tx.QueryRowContext(ctx, query, args...).Scan(&answer); err != nil {
		_ = tx.Rollback()
		return false, err
	}
	return answer, tx.Commit()
}

// with adds parameters to a DSN, which is an URL or words and their values; the
// later ones win.
func with(dsn string, params map[string]string) string {
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	sort.Strings(names)
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		parsed, err := url.Parse(dsn)
		if err != nil {
			return dsn
		}
		query := parsed.Query()
		for _, name := range names {
			query.Set(name, params[name])
		}
		parsed.RawQuery = query.Encode()
		return parsed.String()
	}
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, name := range names {
		dsn += " " + name + "='" + quote.Replace(params[name]) + "'"
	}
	return dsn
}

// Package pgpoolstats tells a PostgreSQL server with pgpool_stats of a pool in
// this process.
//
//	db, err := pgpoolstats.Open("postgres", dsn, "orders")   // for sql.Open
//
// opens a pool of database/sql, with lib/pq or pgx's stdlib as the driver.  Of
// pgxpool there are packages beside this one, pgxv4 and pgxv5:
//
//		pool, err := pgxv5.NewWithConfig(ctx, config, "orders")
//
//	  - New connections carry the label "orders" and host:pid of the process, as
//	    parameters beside those of the DSN.  The first one waits, at most 1 s, until
//	    a connection of ours has shown that the server takes the label (a PgBouncer
//	    may not): if it does not, they go without, which is said once.
//	  - From the first connection on, a report about every 10 s, or 30 s while
//	    nothing changes, by one goroutine for all pools.  It has a short connection
//	    of its own, made the way the pool makes its own, labelled "reports",
//	    application_name "watch orders", with 5 s for everything.  Pools that connect
//	    alike share it.  It never goes through the pool and sends no SET.
//	  - When a report fails, the next ones come more rarely, up to once a minute.
//	    The first failure is logged, and the first report that succeeds again.
//	  - Without the extension on the server it is silent and asks again every five
//	    minutes.
//	  - Close of a database/sql pool says goodbye.  A pgxpool does not tell that it is
//	    closed, and Go not that the process ends: there, defer Goodbye().
//	    That takes at most 1 s, and is left out if the last report failed.
//	  - Nothing of it ever panics or changes an error of the application.
//
// In the environment, PGPOOL_STATS_INSTANCE is in place of host:pid, PGPOOL_STATS_EVERY
// in place of 10, PGPOOL_STATS_WAIT in place of 1; with PGPOOL_STATS_OFF=1 nothing is done.
package pgpoolstats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Logf says what is to be said.  AppVersion is shown in pgpool_stats.instances.
// Set them before the first pool, if at all.
var (
	Logf       = func(format string, args ...interface{}) { log.Printf(format, args...) }
	AppVersion string
)

var (
	every     = fromEnvironment("PGPOOL_STATS_EVERY", 10) // between two reports
	firstWait = fromEnvironment("PGPOOL_STATS_WAIT", 1)
)

func fromEnvironment(name string, otherwise float64) time.Duration {
	seconds, err := strconv.ParseFloat(os.Getenv(name), 64)
	if err != nil || !(seconds > 0) {
		seconds = otherwise
	}
	return time.Duration(seconds * float64(time.Second))
}

const (
	timeout = 5 * time.Second
	retry   = time.Second
	// CloseTimeout is for closing a connection of ours.
	CloseTimeout = time.Second
	// times as long: while nothing changes, at most while reports fail, and
	// without the extension
	quiet   = 3
	refused = 6
	missing = 30
)

// Conn is a connection of our own.
type Conn interface {
	// Query returns the one boolean that is asked for.
	Query(ctx context.Context, query string, args ...interface{}) (bool, error)
	Close()
}

// Pool is one that is watched.  Who makes one fills in how it is asked.
type Pool struct {
	Name string
	// Stats returns what becomes a JSON object: the library's own figures.
	Stats func() interface{}
	// Key is the same for pools that connect alike; empty if that is not known.
	Key func() string
	// Hosts is how many servers its connections may be on, if several.
	Hosts int
	// Open makes a connection as the pool makes its own, with these parameters
	// added.
	Open func(ctx context.Context, params map[string]string) (Conn, error)

	instance string
	mutex    sync.Mutex
	label    int // does the server take it?
	asked    chan struct{}
	askedAt  time.Time
	due      time.Time
	failures int
	reported bool
	last     string
	sentAt   time.Time
	seen     bool
	unseen   int
	stopped  bool
	turns    chan struct{} // of room for one
}

const (
	undecided = iota
	accepted
	without
)

// The reporter of this process: one goroutine for all its pools
var (
	mutex   sync.Mutex
	pools   []*Pool
	running bool
	jitter  = 1.0 // processes are not to report in step
	wake    = make(chan struct{}, 1)
)

// Watch takes a pool on.  Nothing is sent before its first connection.
func Watch(p *Pool) *Pool {
	host, _ := os.Hostname()
	base := os.Getenv("PGPOOL_STATS_INSTANCE")
	if base == "" {
		base = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	mutex.Lock()
	defer mutex.Unlock()
	taken := map[string]bool{}
	for _, other := range pools {
		if other.Name == p.Name {
			taken[other.instance] = true
		}
	}
	p.instance = base
	for i := 2; taken[p.instance]; i++ {
		p.instance = fmt.Sprintf("%s/%d", base, i)
	}
	p.turns = make(chan struct{}, 1)
	pools = append(pools, p)
	return p
}

// Connecting is called when the pool opens a connection, and says with which
// parameters it does.
func (p *Pool) Connecting(ctx context.Context) map[string]string {
	p.mutex.Lock()
	if os.Getenv("PGPOOL_STATS_OFF") == "1" {
		p.stopped = true
	}
	if !p.stopped && p.due.IsZero() {
		p.due = time.Now().Add(every)
		start()
	}
	if p.label == undecided && !p.stopped && p.asked == nil && time.Since(p.askedAt) >= retry {
		p.askedAt = time.Now()
		asked := make(chan struct{})
		p.asked = asked
		go func() {
			p.turn()
			p.mutex.Lock()
			p.asked = nil
			p.mutex.Unlock()
			close(asked)
		}()
	}
	asked, label := p.asked, p.label
	p.mutex.Unlock()

	if label == undecided && asked != nil {
		wait := firstWait
		if end, limited := ctx.Deadline(); limited && time.Until(end)/2 < wait {
			wait = time.Until(end) / 2
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-asked:
		case <-timer.C:
		case <-ctx.Done():
		}
		p.mutex.Lock()
		label = p.label
		p.mutex.Unlock()
	}
	if label != accepted {
		return nil
	}
	return map[string]string{"pgpool_stats.pool": p.Name, "pgpool_stats.instance": p.instance}
}

// Refused is told why a connection failed, and says whether it was the label.
func (p *Pool) Refused(err error) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err == nil || p.label == without || !strings.Contains(err.Error(), "unsupported startup parameter") {
		return false
	}
	p.label = without
	p.logf("connections of pool %s get no label: %v", p.Name, err)
	return true
}

func (p *Pool) logf(format string, args ...interface{}) {
	defer func() { _ = recover() }()
	Logf("pgpool_stats: "+format, args...)
}

// turn sends a report of this pool and of those that connect alike, and says
// when the next ones are due.
func (p *Pool) turn() {
	p.turns <- struct{}{}
	if p.isStopped() {
		<-p.turns
		return
	}
	group := append([]*Pool{p}, p.alike()...)
	defer func() {
		for _, each := range group {
			<-each.turns
		}
	}()
	report := func(ctx context.Context, conn Conn) (bool, error) { return p.report(ctx, conn, group) }
	there, err := p.connected(timeout, report)
	if p.Refused(err) {
		there, err = p.connected(timeout, report)
	}
	for _, each := range group {
		each.turned(there, err)
	}
}

// alike: the others that can be reported on the same connection, whose turn begins
func (p *Pool) alike() []*Pool {
	group := []*Pool{}
	key, label := p.identity()
	if key == "" || label == undecided {
		return group
	}
	mutex.Lock()
	living := append([]*Pool{}, pools...)
	mutex.Unlock()
	for _, other := range living {
		if otherKey, otherLabel := other.identity(); other == p || otherKey != key || otherLabel != label {
			continue
		}
		select {
		case other.turns <- struct{}{}:
			group = append(group, other)
		default: // it is being reported
		}
	}
	return group
}

func (p *Pool) identity() (string, int) {
	key := ""
	if p.Key != nil {
		key = p.Key()
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return key, p.label
}

func (p *Pool) turned(there bool, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	after := every
	switch {
	case err != nil:
		if p.failures++; p.failures == 1 {
			p.logf("cannot report pool %s: %v", p.Name, err)
		}
		p.last = ""
		for i := 1; i < p.failures && after < refused*every; i++ {
			after *= 2
		}
		if after > refused*every {
			after = refused * every
		}
	case p.failures > 0:
		p.failures = 0
		p.logf("pool %s is reported again", p.Name)
		fallthrough
	default:
		if !there {
			after *= missing
		}
	}
	p.reported = err == nil && there
	p.next(after)
}

// connected does something on a connection of ours, within a time.  A driver
// that does not come back is left behind.
func (p *Pool) connected(limit time.Duration, work func(context.Context, Conn) (bool, error)) (bool, error) {
	type result struct {
		there bool
		err   error
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithTimeout(context.Background(), limit)

	p.mutex.Lock()
	labels := p.label != without
	p.mutex.Unlock()
	params := map[string]string{"application_name": "watch " + p.Name}
	if labels {
		params["pgpool_stats.pool"] = "reports"
	}
	go func() {
		defer cancel()
		r := result{}
		defer func() {
			if cause := recover(); cause != nil {
				r.err = fmt.Errorf("%v", cause)
			}
			done <- r
		}()
		conn, err := p.Open(ctx, params)
		if err != nil {
			r.err = err
			return
		}
		defer conn.Close()
		r.there, r.err = work(ctx, conn)
	}()
	select {
	case r := <-done:
		return r.there, r.err
	case <-time.After(limit + limit/10):
		return false, errors.New("no answer within " + limit.String())
	}
}

// isQuiet: has nothing changed since a report that is not old yet?  Then the
// next look is as usual.
func (p *Pool) isQuiet() bool {
	stats, err := json.Marshal(p.Stats())
	p.mutex.Lock()
	defer p.mutex.Unlock()
	same := err == nil && string(stats) == p.last && time.Since(p.sentAt) < every*quiet*95/100
	if same {
		p.next(every)
	}
	return same
}

func (p *Pool) next(after time.Duration) {
	mutex.Lock()
	defer mutex.Unlock()
	p.due = time.Now().Add(time.Duration(float64(after) * jitter))
}

func (p *Pool) report(ctx context.Context, conn Conn, group []*Pool) (bool, error) {
	there, err := conn.Query(ctx, "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL")
	if err != nil {
		return false, err
	}
	p.mutex.Lock()
	if p.label == undecided { // this connection had one
		p.label = accepted
	}
	p.mutex.Unlock()
	for _, each := range group {
		if there && err == nil && !each.isStopped() {
			err = each.tell(ctx, conn)
		}
	}
	return there, err
}

// tell reports one pool.
func (p *Pool) tell(ctx context.Context, conn Conn) error {
	stats, err := json.Marshal(p.Stats())
	if err != nil {
		return err
	}
	document := map[string]interface{}{}
	if err := json.Unmarshal(stats, &document); err != nil {
		return err
	}
	open := number(document, "OpenConnections", "TotalConns")
	document["host"], _ = os.Hostname()
	document["pid"] = os.Getpid()
	document["every"] = quiet * every.Seconds()
	if p.Hosts > 1 {
		document["hosts"] = p.Hosts
	}
	if AppVersion != "" {
		document["app_version"] = AppVersion
	}
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "SELECT pgpool_stats.report($1, $2, $3)", p.Name, string(text), p.instance); err != nil {
		return err
	}
	p.mutex.Lock()
	p.last, p.sentAt = string(stats), time.Now()
	look := p.label == accepted && open > 0 && !p.seen && p.Hosts <= 1
	p.mutex.Unlock()
	if look {
		err = p.look(ctx, conn)
	}
	return err
}

func number(document map[string]interface{}, keys ...string) int {
	for _, key := range keys {
		if n, is := document[key].(float64); is {
			return int(n)
		}
	}
	return 0
}

// look: do the connections carry the label?  Told once, if two reports did not
// find it.
func (p *Pool) look(ctx context.Context, conn Conn) error {
	labelled, err := conn.Query(ctx, "SELECT coalesce(bool_or(connections > 0 OR via IS NOT NULL), false)"+
		" FROM pgpool_stats.instances WHERE pool = $1 AND instance = $2", p.Name, p.instance)
	if err != nil {
		return err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.unseen++; labelled || p.unseen == 2 {
		p.seen = true
		if !labelled {
			p.logf("pool %s has open connections, and the server sees none with the label"+
				" pgpool_stats.pool=%s: does a pooler drop it?", p.Name, p.Name)
		}
	}
	return nil
}

func (p *Pool) isStopped() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.stopped
}

// Stop says goodbye: the server forgets this instance.  It takes at most 1 s.
func (p *Pool) Stop() {
	end := time.Now().Add(firstWait)
	mutex.Lock()
	for i, other := range pools {
		if other == p {
			pools = append(append([]*Pool{}, pools[:i]...), pools[i+1:]...)
			break
		}
	}
	mutex.Unlock()
	p.mutex.Lock()
	stopped := p.stopped
	p.stopped = true
	p.mutex.Unlock()
	if stopped {
		return
	}
	// a report that is on its way would bring it back
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-time.After(firstWait):
		return
	}
	p.mutex.Lock()
	said := p.reported
	p.mutex.Unlock()
	if said {
		_, _ = p.connected(time.Until(end), func(ctx context.Context, conn Conn) (bool, error) {
			return conn.Query(ctx, "SELECT pgpool_stats.forget($1, $2)", p.Name, p.instance)
		})
	}
}

// Goodbye does so for all pools of the process, before it ends.
func Goodbye() {
	var all sync.WaitGroup
	mutex.Lock()
	living := append([]*Pool{}, pools...)
	mutex.Unlock()
	for _, p := range living {
		all.Add(1)
		go func(p *Pool) {
			defer all.Done()
			p.Stop()
		}(p)
	}
	all.Wait()
}

// start begins the goroutine with the first connection, or has it look at the
// new pool.
func start() {
	mutex.Lock()
	defer mutex.Unlock()
	if !running {
		running = true
		go run()
		return
	}
	select {
	case wake <- struct{}{}:
	default:
	}
}

func run() {
	for {
		next := time.Now().Add(every)
		mutex.Lock()
		jitter = 0.7 + 0.6*rand.Float64()
		living := append([]*Pool{}, pools...)
		mutex.Unlock()
		for _, p := range living {
			p.mutex.Lock()
			// those that are due soon go along
			due := !p.stopped && !p.due.IsZero() && time.Until(p.due) < every*15/100
			p.mutex.Unlock()
			if due && !p.isQuiet() {
				p.turn()
			}
			p.mutex.Lock()
			if !p.due.IsZero() && p.due.Before(next) {
				next = p.due
			}
			p.mutex.Unlock()
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-timer.C:
		case <-wake:
			timer.Stop()
		}
	}
}

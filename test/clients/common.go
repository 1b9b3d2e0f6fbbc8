package main

// What the client tests in Go share: ask the server, compare, poll.

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	_ "github.com/lib/pq"
)

var failures int

func check(name string, good bool, detail ...interface{}) {
	if good {
		fmt.Println("ok - " + name)
		return
	}
	failures++
	fmt.Println("not ok - "+name, fmt.Sprint(detail...))
}

func equal(name string, got, expected interface{}) {
	check(name, got == expected, fmt.Sprintf("got %v, expected %v", got, expected))
}

func must(err error) {
	if err != nil {
		check("no error", false, err)
		os.Exit(1)
	}
}

func done() {
	if failures > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}

func me() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

func until(what string, condition func() bool) {
	for i := 0; i < 15000; i++ {
		if condition() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	check("waited for "+what, false)
}

// A connection of its own, in strict mode.
type reporter struct{ db *sql.DB }

func newReporter() reporter {
	db, err := sql.Open("postgres", "user=app sslmode=disable host="+os.Getenv("PGHOST")+
		" pgpool_stats.pool=reporter pgpool_stats.instance=reporter pgpool_stats.strict_reports=on")
	must(err)
	db.SetMaxOpenConns(1)
	return reporter{db}
}

func (r reporter) report(pool string, stats []byte, instance string) bool {
	var own bool
	must(r.db.QueryRow("SELECT pgpool_stats.report($1, $2, $3)", pool, string(stats), instance).Scan(&own))
	return own
}

func (r reporter) row(pool, instance string) map[string]interface{} {
	var text string
	err := r.db.QueryRow("SELECT to_jsonb(i) FROM pgpool_stats.instances i WHERE pool = $1 AND instance = $2",
		pool, instance).Scan(&text)
	if err == sql.ErrNoRows {
		return nil
	}
	must(err)
	row := map[string]interface{}{}
	must(json.Unmarshal([]byte(text), &row))
	return row
}

func number(n interface{}) interface{} {
	switch v := n.(type) {
	case int:
		return float64(v)
	case int32:
		return float64(v)
	case int64:
		return float64(v)
	}
	return n
}

func (r reporter) compare(step, pool, instance string, expected map[string]interface{}) {
	row := r.row(pool, instance)
	if row == nil {
		check(step+": a row for "+instance, false)
		return
	}
	for column, value := range expected {
		got, isFloat := row[column].(float64)
		if want, ok := number(value).(float64); ok && isFloat {
			// times are cut or rounded to microseconds
			check(step+": "+column, math.Abs(got-want) < 0.0015, "got ", got, ", expected ", want)
		} else {
			equal(step+": "+column, row[column], number(value))
		}
	}
	unmapped, _ := row["unmapped"].([]interface{})
	equal(step+": nothing unmapped", len(unmapped), 0)
}

// inOne looks at many reports of so many pools, and how often somebody connected
// for that.
func (r reporter) inOne(pools string, number int) {
	connects := func() (n int) {
		must(r.db.QueryRow("SELECT sum(connects) FROM pgpool_stats.pools WHERE pool = 'reports'").Scan(&n))
		return n
	}
	do := func(query string, args ...interface{}) {
		_, err := r.db.Exec(query, args...)
		must(err)
	}
	seen := func(times int) {
		until(fmt.Sprintf("%d reports of %d pools", times, number), func() (enough bool) {
			do("INSERT INTO seen SELECT pool, last_report FROM pgpool_stats.instances"+
				" WHERE pool ~ $1 AND last_report IS NOT NULL ON CONFLICT DO NOTHING", "^"+pools+`\d+$`)
			must(r.db.QueryRow("SELECT count(*) = $1 AND coalesce(min(n), 0) > $2"+
				" FROM (SELECT count(*) AS n FROM seen GROUP BY pool) AS s", number, times).Scan(&enough))
			return enough
		})
	}
	do("CREATE TEMP TABLE seen (pool text, at timestamptz, UNIQUE (pool, at))")
	seen(1)
	do("TRUNCATE seen")
	before := connects()
	seen(5)
	made := connects() - before
	check(fmt.Sprintf("%d pools report 5 times, and do not connect %d times", number, number*5),
		made < number*5/2, made)
}

func (r reporter) connections(step, pool, instance string, expected int) {
	count := func() int {
		n, _ := r.row(pool, instance)["connections"].(float64)
		return int(n)
	}
	until(fmt.Sprintf("%s: %d connections", step, expected), func() bool { return count() == expected })
	equal(step+": the server counts the pool's connections", count(), expected)
}

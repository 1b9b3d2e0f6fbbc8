// An application with a pool, told what to do by watched.py.

package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	_ "github.com/lib/pq"
	"pgpoolstats"
)

func main() {
	db, err := pgpoolstats.Open("postgres", "", "database_sql")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(2)
	var held []*sql.Conn

	commands := map[string]func(context.Context) error{
		"take": func(ctx context.Context) error {
			conn, err := db.Conn(ctx)
			if err == nil {
				held = append(held, conn)
			}
			return err
		},
		"give": func(context.Context) error {
			conn := held[len(held)-1]
			held = held[:len(held)-1]
			return conn.Close()
		},
		"work": func(ctx context.Context) error {
			_, err := db.ExecContext(ctx, "SELECT 1")
			return err
		},
		"end": func(context.Context) error { return db.Close() },
	}
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		if err := commands[input.Text()](ctx); err != nil {
			fmt.Println("failed:", err)
		} else {
			fmt.Println("done")
		}
		cancel()
	}
}

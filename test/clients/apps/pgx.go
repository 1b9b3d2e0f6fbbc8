// An application with a pool, told what to do by watched.py.

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v4/pgxpool"
	"pgpoolstats/pgxv4"
)

func main() {
	config, err := pgxpool.ParseConfig("pool_max_conns=2")
	if err != nil {
		panic(err)
	}
	config.LazyConnect = true
	pool, err := pgxv4.ConnectConfig(context.Background(), config, "pgxpool")
	if err != nil {
		panic(err)
	}
	var held []*pgxpool.Conn

	commands := map[string]func(context.Context) error{
		"take": func(ctx context.Context) error {
			conn, err := pool.Acquire(ctx)
			if err == nil {
				held = append(held, conn)
			}
			return err
		},
		"give": func(context.Context) error {
			held[len(held)-1].Release()
			held = held[:len(held)-1]
			return nil
		},
		"work": func(ctx context.Context) error {
			_, err := pool.Exec(ctx, "SELECT 1")
			return err
		},
		"end": func(context.Context) error {
			pool.Close()
			pgxv4.Goodbye()
			return nil
		},
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

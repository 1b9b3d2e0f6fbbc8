"""A small shop on FastAPI and asyncpg, watched by two lines."""

# docs: begin fastapi-app
import os

import asyncpg
import pgpool_stats
from fastapi import FastAPI

app = FastAPI()


@app.on_event("startup")
async def start():
    app.state.pool = await asyncpg.create_pool(user="app", min_size=1,
                                               max_size=2)
    pgpool_stats.watch(app.state.pool, "shop_fastapi")


@app.on_event("shutdown")
async def stop():
    await app.state.pool.close()


@app.get("/")
async def work():
    async with app.state.pool.acquire() as conn:
        await conn.execute("SELECT 1")
    return os.getpid()
# docs: end

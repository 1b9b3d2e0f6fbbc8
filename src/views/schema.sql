/* pgpool_stats--1.0.sql: client connection pools, not related to Pgpool-II */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgpool_stats" to load this file. \quit

COMMENT ON SCHEMA pgpool_stats IS
	'client connection pools (not Pgpool-II): start with overview';
GRANT USAGE ON SCHEMA pgpool_stats TO PUBLIC;

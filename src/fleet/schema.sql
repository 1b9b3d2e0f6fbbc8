/* pgpool_stats_fleet--1.0.sql: the pools of many servers, asked over dblink */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgpool_stats_fleet" to load this file. \quit

COMMENT ON SCHEMA pgpool_stats_fleet IS
	'client connection pools of many servers: start with overview';

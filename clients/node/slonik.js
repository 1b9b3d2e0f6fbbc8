/*
 * slonik.js
 *    watch() of pgpool-stats.js for slonik, which makes its pool out of reach.
 *
 *      const { watch } = require('pgpool-stats/slonik');
 *      const pool = await watch(createPool, 'orders')(uri, configuration);
 *
 * It stands for createPool(uri, configuration).  The label is added to the options of
 * the URI, by a "driverFactory" around yours or slonik's own; the figures are those
 * of pool.state() and the maximum.  Checkouts are counted.  A caller who waits has
 * no time limit in slonik, and how long he waited is not told.  The rest as of
 * pgpool-stats.js.
 */
'use strict';

const { Client } = require('pg');
const { closing, PgConnection, watchKind } = require('./pgpool-stats').internals;

const OPTIONS = /([?&]options=)([^&]*)/;

/* A URI with more options */
function withOptions(uri, more) {
  const there = OPTIONS.exec(uri);
  if (!there) return `${uri}${uri.includes('?') ? '&' : '?'}options=${encodeURIComponent(more)}`;
  return uri.replace(OPTIONS, () => `${there[1]}${there[2]}${encodeURIComponent(there[2] ? ` ${more}` : more)}`);
}

/* That of slonik, wherever it is installed */
const ownFactory = () => require(
  require.resolve('@slonik/pg-driver', { paths: [require.resolve('slonik')] })).createPgDriverFactory();

class Slonik {
  constructor(uri, { ssl } = {}) {
    this.config = { connectionString: uri };
    if (ssl) this.config.ssl = ssl;
  }

  attach(watched, counters) {
    this.watched = watched;
    counters.told = { checkouts: 0 };
    this.counters = counters;
  }

  figures() {
    if (!this.pool) return {};
    const { maximumPoolSize: max, minimumPoolSize: min } = this.pool.configuration;
    const state = this.pool.state();
    const lent = state.acquiredConnections + state.pendingReleaseConnections + state.pendingDestroyConnections;
    return {
      max_size: max,
      min_size: min,
      open: lent + state.idleConnections + state.pendingConnections,
      checked_in: state.idleConnections,
      checked_out: lent,
      waiting: state.waitingClients,
    };
  }

  async connection(name, label) {
    return new PgConnection(Client, this.config, name, label);
  }

  /* A driver that is two: one whose connections have the label, and one without */
  factory(theirs) {
    const { watched, counters } = this;
    return async ({ driverConfiguration }) => {
      const bare = await theirs({ driverConfiguration });
      const { connectionTimeout: limit } = driverConfiguration;
      let labelled;
      const driver = async () => {
        await watched.connecting(limit > 0 ? limit / 2 : undefined);
        if (!watched.accepted) return bare;
        labelled = labelled || theirs({
          driverConfiguration: {
            ...driverConfiguration, connectionUri: withOptions(driverConfiguration.connectionUri, watched.label()),
          },
        }).catch((error) => { labelled = undefined; throw error; });
        return labelled;
      };
      return {
        ...bare,
        createClient: async () => {
          watched.opening++; // the pool counts it from now on
          try {
            const client = await (await driver()).createClient();
            client.on('acquire', () => { counters.told.checkouts++; });
            return client;
          } catch (error) {
            watched.refused(error);
            throw error;
          } finally {
            watched.opening--;
          }
        },
      };
    };
  }
}

function watch(createPool, name, settings) {
  return async (uri, configuration = {}) => {
    const kind = new Slonik(uri, configuration);
    const watched = watchKind(() => {
      kind.theirs = configuration.driverFactory || ownFactory();
      return kind;
    }, name, settings);
    if (!watched) return createPool(uri, configuration);
    try {
      kind.pool = await createPool(uri, { ...configuration, driverFactory: kind.factory(kind.theirs) });
    } catch (error) {
      await watched.stop();
      throw error;
    }
    closing(kind.pool, 'end', watched);
    return kind.pool;
  };
}

module.exports = { watch };

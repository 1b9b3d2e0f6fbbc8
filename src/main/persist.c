/*-------------------------------------------------------------------------
 *
 * persist.c
 *	  Saving and loading: pools and instances over a restart.
 *
 * The file lies in pg_stat_tmp, which base backups and pg_rewind skip: a
 * standby or a clone must not go on with somebody else's counters.  It is
 * written beside, made durable and renamed, so that there is always a whole
 * one: a crash, of the machine too, loses at most what was counted since the
 * last save.  A checksum is over all of it.  A file that is damaged, of another
 * format or of another server is set aside with a LOG line; the server starts
 * all the same.
 *
 * The postmaster loads before there are other processes and saves after they
 * are gone.  In between a worker saves, see saver.c: neither writing nor the
 * disk holds up anybody else.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "catalog/pg_control.h"
#include "common/controldata_utils.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/incidents.h"
#include "analysis/history.h"
#include "base/compat.h"
#include "base/settings.h"
#include "main/main.h"
#include "registry/histogram.h"
#include "registry/life.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/rejection_rows.h"
#include "server/rejections.h"
#include "server/usage.h"

#define SAVE_FILE PG_STAT_TMP_DIR "/pgpool_stats.stat"
#define SAVE_TMP SAVE_FILE ".tmp"
#define SET_ASIDE SAVE_FILE ".set_aside"

#define SAVE_MAGIC 0x53504750	/* "PGPS" */

/* what follows the header, one array after the other */
typedef enum Section
{
	POOLS,
	INSTANCES,
	HISTOGRAMS,					/* of the instances, in their order */
	SESSIONS,
	PEAKS,
	REJECTIONS,
	REJECTED,
	HISTORY,
	SILENCES,
	USAGE,
	INCIDENTS,
	SECTIONS
} Section;

static const uint32 struct_size[SECTIONS] = {
	sizeof(PgpsPoolCopy),
	sizeof(PgpsInstanceCopy),
	sizeof(PgpsHistogram),
	sizeof(PgpsSessionsCopy),
	sizeof(PgpsPeak),
	sizeof(PgpsRejection),
	sizeof(PgpsRejected),
	sizeof(PgpsSavedBucket),
	sizeof(PgpsSilence),
	sizeof(PgpsSavedUsage),
	sizeof(PgpsIncident)
};

typedef struct SaveHeader
{
	uint32		magic;
	uint32		layout;			/* PGPS_LAYOUT: a checksum of the declarations
								 * of what is saved, from layout.awk */
	uint32		server_version;
	pg_crc32c	crc;			/* of header (with 0 here) and all that
								 * follows */
	uint64		system_identifier;
	TimestampTz stats_reset;
	uint32		size[SECTIONS]; /* bytes of one element of each section */
	uint32		count[SECTIONS];	/* number of elements */
} SaveHeader;

/* what stands between sections */
static const char zeros[MAXIMUM_ALIGNOF] = {0};

/* Begin the checksum of a file: that of its header */
static pg_crc32c
begin_checksum(const SaveHeader *header)
{
	SaveHeader	h = *header;
	pg_crc32c	crc;

	h.crc = 0;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &h, sizeof(h));
	return crc;
}

/* The checksum of a file in memory */
static pg_crc32c
checksum(const SaveHeader *header, const char *body, Size size)
{
	pg_crc32c	crc = begin_checksum(header);

	COMP_CRC32C(crc, body, size);
	FIN_CRC32C(crc);
	return crc;
}

/* Bytes of a section, without those that align the next one */
static Size
section_size(const SaveHeader *header, int section)
{
	return (Size) header->size[section] * header->count[section];
}

/* Where a section begins behind the header; of SECTIONS: where all ends */
static Size
section_offset(const SaveHeader *header, int section)
{
	Size		offset = 0;
	int			i;

	for (i = 0; i < section; i++)
		offset += MAXALIGN(section_size(header, i));
	return offset;
}

/*-------------------------------------------------------------------------
 * Saving
 *-------------------------------------------------------------------------
 */

static void
log_write_error(void)
{
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", SAVE_TMP)));
}

static bool
write_section(FILE *file, const char *data, Size size)
{
	Size		padding = MAXALIGN(size) - size;

	return (size == 0 || fwrite(data, size, 1, file) == 1) &&
		(padding == 0 || fwrite(zeros, padding, 1, file) == 1);
}

static void
write_file(const SaveHeader *header, const void *const *data)
{
	FILE	   *file = AllocateFile(SAVE_TMP, PG_BINARY_W);
	bool		ok;
	int			i;

	if (file == NULL)
	{
		log_write_error();
		return;
	}
	ok = fwrite(header, sizeof(SaveHeader), 1, file) == 1;
	for (i = 0; i < SECTIONS && ok; i++)
		ok = write_section(file, data[i], section_size(header, i));
	if (FreeFile(file) != 0)
		ok = false;
	if (!ok)
		log_write_error();
	if (!ok || ShutdownRequestPending)
	{
		(void) unlink(SAVE_TMP);
		return;
	}

	/* makes it durable before it takes the old one's place; logs by itself */
	(void) durable_rename(SAVE_TMP, SAVE_FILE, LOG);
}

/*
 * The histograms of all instances one after the other.  In the file, nothing
 * points to them.
 */
static PgpsHistogram *
gather_histograms(PgpsCopy *copy)
{
	PgpsHistogram *histograms;
	int			i;

	histograms = palloc_extended(Max(copy->ninstances, 1) * sizeof(PgpsHistogram),
								 MCXT_ALLOC_HUGE);
	for (i = 0; i < copy->ninstances; i++)
	{
		histograms[i] = *copy->instances[i].histogram;
		copy->instances[i].histogram = NULL;
	}
	return histograms;
}

/* Save everything.  If that fails, a LOG line says why. */
void
pgps_save_now(void)
{
	PgpsCopy   *copy = pgps_registry_copy(PGPS_ALL_XACTS, PGPS_ALL_POOLS);
	PgpsRejections *rejections = pgps_rejections_copy();
	PgpsSavedBucket *history;
	PgpsSilences *silences = pgps_silences_copy(GetCurrentTimestamp());
	PgpsSavedUsage usage = {0};
	PgpsIncidents *incidents = pgps_incidents_copy();
	SaveHeader	header = {0};
	const void *data[SECTIONS];
	int			i;

	header.magic = SAVE_MAGIC;
	header.layout = PGPS_LAYOUT;
	header.server_version = PGPS_SERVER_MAJOR;
	header.system_identifier = GetSystemIdentifier();
	header.stats_reset = copy->info.stats_reset;
	memcpy(header.size, struct_size, sizeof(struct_size));
	header.count[POOLS] = copy->npools;
	header.count[INSTANCES] = header.count[HISTOGRAMS] = copy->ninstances;
	header.count[SESSIONS] = copy->npools;
	header.count[PEAKS] = copy->npeaks;
	header.count[REJECTIONS] = rejections->nrejections;
	header.count[REJECTED] = rejections->ncounters;
	header.count[HISTORY] = pgps_history_copy(copy, &history);
	header.count[SILENCES] = silences->n;
	header.count[USAGE] = pgps_usage_copy(&usage);
	header.count[INCIDENTS] = incidents->count;
	data[POOLS] = copy->pools;
	data[INSTANCES] = copy->instances;
	data[HISTOGRAMS] = gather_histograms(copy);
	data[SESSIONS] = pgps_sessions_copy_all(copy);
	data[PEAKS] = copy->peaks;
	data[REJECTIONS] = rejections->rejections;
	data[REJECTED] = rejections->counters;
	data[HISTORY] = history;
	data[SILENCES] = silences->silences;
	data[USAGE] = &usage;
	data[INCIDENTS] = incidents->incidents;

	header.crc = begin_checksum(&header);
	for (i = 0; i < SECTIONS; i++)
	{
		Size		size = section_size(&header, i);

		COMP_CRC32C(header.crc, data[i], size);
		COMP_CRC32C(header.crc, zeros, MAXALIGN(size) - size);
	}
	FIN_CRC32C(header.crc);
	write_file(&header, data);
}

/*
 * Was the last shutdown an orderly one?  After an immediate one a killed
 * process may have left a lock behind, or an entry half made, and what was
 * counted since the last save is lost.
 */
static bool
was_orderly(void)
{
	bool		crc_ok;
	ControlFileData *control = get_controlfile(DataDir, &crc_ok);

	return crc_ok && (control->state == DB_SHUTDOWNED ||
					  control->state == DB_SHUTDOWNED_IN_RECOVERY);
}

/* on_shmem_exit callback of the postmaster, which is alone by now */
void
pgps_save_at_shutdown(int code, Datum arg)
{
	if (code == 0 && !IsUnderPostmaster && pgps_save && was_orderly())
		pgps_save_now();
}

/*-------------------------------------------------------------------------
 * Loading
 *-------------------------------------------------------------------------
 */

/* What is wrong with a file; NULL if nothing is. */
static const char *
why_unusable(const char *data, Size size)
{
	const SaveHeader *header = (const SaveHeader *) data;

	if (size < sizeof(SaveHeader))
		return "it is truncated";
	if (header->magic == pg_bswap32(SAVE_MAGIC))
		return "a machine of the other byte order wrote it";
	if (header->magic != SAVE_MAGIC)
		return "it is damaged";
	if (header->layout != PGPS_LAYOUT ||
		memcmp(header->size, struct_size, sizeof(struct_size)) != 0)
		return "another version of pgpool_stats wrote it";
	if (header->server_version != PGPS_SERVER_MAJOR)
		return "another major version of PostgreSQL wrote it";
	if (size != sizeof(SaveHeader) + section_offset(header, SECTIONS) ||
		header->count[HISTOGRAMS] != header->count[INSTANCES])
		return "it is truncated";
	if (header->crc != checksum(header, data + sizeof(SaveHeader),
								size - sizeof(SaveHeader)))
		return "it is damaged";
	if (header->system_identifier != GetSystemIdentifier())
		return "it belongs to another database system";
	return NULL;
}

static void
restore(const char *data, bool crashed)
{
	const SaveHeader *header = (const SaveHeader *) data;
	const char *body = data + sizeof(SaveHeader);
	const PgpsPoolCopy *pools;
	const PgpsInstanceCopy *instances;
	const PgpsHistogram *histograms;
	const PgpsSessionsCopy *sessions;
	const PgpsPeak *peaks;
	const PgpsSavedBucket *history;
	const PgpsSilence *silences;
	const PgpsIncident *incidents;
	PgpsRejections rejections;
	int			max_index = 0;
	int32	   *entry_of;
	bool	   *has_own;
	uint32		i;

	pools = (const PgpsPoolCopy *) (body + section_offset(header, POOLS));
	instances = (const PgpsInstanceCopy *) (body + section_offset(header, INSTANCES));
	histograms = (const PgpsHistogram *) (body + section_offset(header, HISTOGRAMS));
	sessions = (const PgpsSessionsCopy *) (body + section_offset(header, SESSIONS));
	peaks = (const PgpsPeak *) (body + section_offset(header, PEAKS));
	history = (const PgpsSavedBucket *) (body + section_offset(header, HISTORY));
	silences = (const PgpsSilence *) (body + section_offset(header, SILENCES));
	incidents = (const PgpsIncident *) (body + section_offset(header, INCIDENTS));
	rejections.nrejections = header->count[REJECTIONS];
	rejections.rejections = (PgpsRejection *) (body + section_offset(header, REJECTIONS));
	rejections.ncounters = header->count[REJECTED];
	rejections.counters = (PgpsRejected *) (body + section_offset(header, REJECTED));

	for (i = 0; i < header->count[POOLS]; i++)
		max_index = Max(max_index, pools[i].index);
	entry_of = palloc0((max_index + 1) * sizeof(int32));
	has_own = palloc0((max_index + 1) * sizeof(bool));

	for (i = 0; i < header->count[POOLS]; i++)
	{
		const PgpsPool *pool = &pools[i].data;
		bool		own;
		int32		entry = pgps_registry_restore_pool(pool, crashed, &own);

		entry_of[pools[i].index] = entry;
		has_own[pools[i].index] = own;
	}
	for (i = 0; i < header->count[INSTANCES]; i++)
		pgps_registry_restore_instance(&instances[i], &histograms[i],
									   entry_of[instances[i].data.pool],
									   crashed);
	for (i = 0; i < header->count[SESSIONS]; i++)
		pgps_sessions_restore(entry_of[sessions[i].pool], &sessions[i], crashed);
	pgps_peaks_restore(peaks, header->count[PEAKS]);
	for (i = 0; i < header->count[HISTORY]; i++)
	{
		/* that of a pool which did not get an entry of its own again is lost */
		if (has_own[history[i].pool])
			pgps_history_restore(&history[i], entry_of[history[i].pool]);
	}
	for (i = 0; i < header->count[SILENCES]; i++)
		pgps_silence_restore(&silences[i]);
	pgps_incidents_restore(incidents, header->count[INCIDENTS]);
	pgps_rejections_restore(&rejections, crashed);
	if (header->count[USAGE] > 0)
		pgps_usage_restore((const PgpsSavedUsage *) (body + section_offset(header, USAGE)), crashed);
	pgps_registry_restore_done(header->stats_reset, crashed);
	pfree(entry_of);
	pfree(has_own);
}

/*
 * Read the whole file.  NULL if there is none, or, with a LOG line, if it
 * cannot be read.
 */
static char *
read_file(Size *size)
{
	struct stat st;
	char	   *data;
	bool		ok;
	FILE	   *file = AllocateFile(SAVE_FILE, PG_BINARY_R);

	if (file == NULL && errno == ENOENT)
		return NULL;
	if (file == NULL || fstat(fileno(file), &st) != 0)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", SAVE_FILE)));
		if (file != NULL)
			FreeFile(file);
		return NULL;
	}

	*size = st.st_size;
	data = palloc_extended(*size + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	ok = data != NULL && (*size == 0 || fread(data, *size, 1, file) == 1);
	if (!ok)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", SAVE_FILE)));
	FreeFile(file);
	return ok ? data : NULL;
}

/* Load what was saved, if anything was.  Only for the starting postmaster. */
void
pgps_load(void)
{
	char	   *data;
	Size		size;
	const char *wrong;

	if (!pgps_save)
	{
		/*
		 * old counters must not come back when the setting is switched on
		 * again
		 */
		(void) unlink(SAVE_FILE);
		return;
	}
	data = read_file(&size);
	if (data == NULL)
		return;

	wrong = why_unusable(data, size);
	if (wrong == NULL)
		restore(data, !was_orderly());
	else
	{
		ereport(LOG,
				(errmsg("pgpool_stats starts without saved statistics"),
				 errdetail("File \"%s\" is not used: %s. It is kept as \"%s\".",
						   SAVE_FILE, wrong, SET_ASIDE)));
		(void) durable_rename(SAVE_FILE, SET_ASIDE, LOG);
	}
	pfree(data);
}

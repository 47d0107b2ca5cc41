/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_open.c: the backend on disk opened and closed: the folder, the lock of the writer, the file looked at before
 * LMDB trusts it, the format.
 */
#include <cevm/alloc.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "state/lmdb_internal.h"
#include "state/trie.h"

/* A version of cevm that lays the tables out in another way writes another number. */
static const char format_name[] = "format";
static const char format_value[] = "cevm state 2";
static const char history_name[] = "history";
static const char receipts_name[] = "receipts";

enum { DEFAULT_HISTORY = 128, MAX_PATH_SIZE = 3072, META_SIZE = 152 };

#define DEFAULT_MAP (UINT64_C(1) << 40)
#define LEAST_MAP   (UINT64_C(1) << 26)

static const char *const table_names[LMDB_TABLE_COUNT] = {"meta",     "accounts", "storage", "code",  "branches",
                                                          "history",  "changes",  "hashes",  "chain", "blocks",
                                                          "receipts", "numbers",  "txs",     "logs"};

/* Files up to this size are looked through unless they were closed in good order: a second or two at most. */
#define CHECKED_ANYWAY (UINT64_C(1) << 32)

/** What an opening works on. */
typedef struct opening {
    const cevm_lmdb_options *options;
    cevm_lmdb *db;
    cevm_lmdb_error *error;
    char data[MAX_PATH_SIZE + 16]; /* path of the file */
    bool has_meta;                 /* of the file; what follows counts */
    uint64_t page_size;
} opening;

static cevm_err say(const opening *o, cevm_err err, const char *text)
{
    (void)snprintf(o->error->text, sizeof o->error->text, "%.300s: %.180s", o->options->path, text);
    return err;
}

static cevm_err say_lmdb(const opening *o, const char *what, int rc)
{
    char text[180];
    if (rc == MDB_SUCCESS) {
        return CEVM_OK;
    }
    (void)snprintf(text, sizeof text, "%s: %s", what, mdb_strerror(rc));
    const bool is_damage = rc < 0 && rc != MDB_MAP_FULL && rc != MDB_READERS_FULL;
    return say(o, rc == ENOMEM ? CEVM_ERR_NOMEM : is_damage ? CEVM_ERR_BACKEND : CEVM_ERR_IO, text);
}

/* ---- The folder ------------------------------------------------------------------------------------------------------ */

/** Locks the file, waiting for a moment: programs that only read hold the lock now and then to see whether it is free. */
static bool lock_file(int file, int how)
{
    enum { TRIES = 20 };
    const struct timespec moment = {.tv_nsec = 5000000};
    int rc = flock(file, how | LOCK_NB);
    for (int i = 1; i < TRIES && rc != 0 && errno == EWOULDBLOCK; ++i) {
        (void)nanosleep(&moment, NULL);
        rc = flock(file, how | LOCK_NB);
    }
    return rc == 0;
}

static int open_lock(const opening *o, int flags)
{
    char path[MAX_PATH_SIZE + 16];
    (void)snprintf(path, sizeof path, "%s/writer.lock", o->options->path);
    return open(path, flags | O_CLOEXEC, 0644);
}

static cevm_err lock_writer(const opening *o)
{
    o->db->writer_lock = open_lock(o, O_RDWR | O_CREAT);
    if (o->db->writer_lock < 0) {
        return say_lmdb(o, "writer.lock cannot be opened", errno);
    }
    if (!lock_file(o->db->writer_lock, LOCK_EX)) {
        return errno == EWOULDBLOCK
                   ? say(o, CEVM_ERR_IO, "another program, or this one, has the store open for writing")
                   : say_lmdb(o, "writer.lock cannot be locked", errno);
    }
    return CEVM_OK;
}

/** Keeps writers away while a store that is only read is looked through. Without a lock file nobody can write. */
static cevm_err lock_check(const opening *o)
{
    o->db->writer_lock = open_lock(o, O_RDONLY);
    return o->db->writer_lock < 0 || lock_file(o->db->writer_lock, LOCK_SH)
               ? CEVM_OK
               : say(o, CEVM_ERR_IO, "a program has the store open for writing");
}

/** Whether a program has the store open for writing. */
static bool has_writer(int lock)
{
    const bool free = lock < 0 || flock(lock, LOCK_SH | LOCK_NB) == 0;
    if (free && lock >= 0) {
        (void)flock(lock, LOCK_UN);
    }
    return !free;
}

static uint64_t load_le(const uint8_t *p, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i > 0; --i) {
        value = value << 8 | p[i - 1];
    }
    return value;
}

/**
 * Whether a page looks like one of the two that say where everything is. LMDB checks magic and version. That the file is as
 * long as the page says it does not, and reading behind the end of a mapped file ends the process; and it would map a file
 * wherever a flag tells it to.
 */
static bool meta_fits(const uint8_t page[META_SIZE], uint64_t file_size, uint64_t *page_size)
{
    enum {
        AT_FLAGS = 10,
        IS_META = 8,
        AT_MAGIC = 16,
        AT_VERSION = 20,
        AT_PAGE_SIZE = 40,
        AT_TABLE_FLAGS = 44,
        AT_LAST = 136
    };
    *page_size = load_le(page + AT_PAGE_SIZE, 4);
    const uint64_t last = load_le(page + AT_LAST, 8);
    return load_le(page + AT_FLAGS, 2) == IS_META && load_le(page + AT_MAGIC, 4) == 0xbeefc0de &&
           load_le(page + AT_VERSION, 4) == 1 && load_le(page + AT_TABLE_FLAGS, 2) == MDB_INTEGERKEY &&
           *page_size >= 4096 && *page_size <= 32768 && (*page_size & (*page_size - 1)) == 0 &&
           last < file_size / *page_size;
}

/** Opens the file to look at it; -1 with *err when it is not there, which is all right for a store to be made. */
static int open_data(const opening *o, cevm_err *err)
{
    const int file = open(o->data, O_RDONLY | O_CLOEXEC);
    *err = CEVM_OK;
    if (file < 0 && errno == ENOENT) {
        *err = o->options->create ? CEVM_OK : say(o, CEVM_ERR_IO, "there is no store here");
    } else if (file < 0) {
        *err = say_lmdb(o, "data.mdb cannot be opened", errno);
    }
    return file;
}

/** Looks at the file before LMDB maps it. One that is missing or empty is all right for a store to be made. */
static cevm_err check_file(opening *o)
{
    uint8_t meta[2][META_SIZE] = {{0}};
    uint64_t other = 0;
    struct stat info;
    cevm_err err;
    const int file = open_data(o, &err);
    if (file < 0) {
        return err;
    }
    if (fstat(file, &info) != 0) {
        err = say_lmdb(o, "data.mdb cannot be read", errno);
        (void)close(file);
        return err;
    }
    bool fits = info.st_size == 0 && o->options->create;
    if (!fits && info.st_size >= 2 * META_SIZE && pread(file, meta[0], META_SIZE, 0) == META_SIZE) {
        fits = meta_fits(meta[0], (uint64_t)info.st_size, &o->page_size) &&
               pread(file, meta[1], META_SIZE, (off_t)o->page_size) == META_SIZE &&
               meta_fits(meta[1], (uint64_t)info.st_size, &other) && o->page_size == other;
        o->has_meta = fits;
    }
    (void)close(file);
    return fits ? CEVM_OK : say(o, CEVM_ERR_BACKEND, "data.mdb is cut short, damaged, or of another program");
}

/** Looks through the pages, when that is asked for or the file may have been written into since it was closed. */
static cevm_err check_pages(const opening *o)
{
    const cevm_lmdb_options *options = o->options;
    struct stat info;
    char text[180] = "";
    cevm_err err;
    if (!o->has_meta) {
        return CEVM_OK;
    }
    const int file = open_data(o, &err);
    if (file < 0 || fstat(file, &info) != 0) {
        if (file >= 0) {
            err = say_lmdb(o, "data.mdb cannot be read", errno);
            (void)close(file);
        }
        return err;
    }
    const bool keeps_lock = !options->read_only || options->check_pages;
    const int lock = keeps_lock ? o->db->writer_lock : open_lock(o, O_RDONLY);
    const bool needed = options->check_pages || ((uint64_t)info.st_size <= CHECKED_ANYWAY &&
                                                 !cevm_lmdb_is_sealed(lock, file) && (keeps_lock || !has_writer(lock)));
    if (needed) {
        err = cevm_lmdb_check_pages(file, (size_t)o->page_size, text, sizeof text, options->allocator);
        /* A writer that came meanwhile looks, or has looked, for itself; what it changes under way looks like damage. */
        err = err == CEVM_ERR_BACKEND && !keeps_lock && has_writer(lock) ? CEVM_OK : err;
        err = err == CEVM_OK ? CEVM_OK : say(o, err, text);
    }
    (void)close(file);
    if (!keeps_lock && lock >= 0) {
        (void)close(lock);
    }
    return err;
}

/**
 * LMDB maps its lock file, which it makes as a hole: on a full disk the first touch of it would end the process (SIGBUS).
 * So a new one gets its blocks before LMDB sees it. One that is there has the block that is touched.
 */
static cevm_err reserve_lock_file(const opening *o)
{
    enum { LOCK_FILE_SIZE = 8192 }; /* LMDB's head and its 126 readers */
    char path[MAX_PATH_SIZE + 16];
    (void)snprintf(path, sizeof path, "%s/lock.mdb", o->options->path);
    const int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) {
        return CEVM_OK; /* it is there, or LMDB will say why it cannot be */
    }
    const int rc = fallocate(file, 0, 0, LOCK_FILE_SIZE) == 0 || errno == EOPNOTSUPP ? MDB_SUCCESS : errno;
    (void)close(file);
    if (rc != MDB_SUCCESS) {
        (void)unlink(path);
    }
    return say_lmdb(o, "lock.mdb cannot be written", rc);
}

/* ---- LMDB ------------------------------------------------------------------------------------------------------------ */

static int open_environment(const opening *o, uint64_t map_size, unsigned more)
{
    const cevm_lmdb_options *options = o->options;
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | more;
    flags |= options->read_only ? MDB_RDONLY : 0u;
    flags |= options->no_sync ? MDB_NOSYNC : 0u;
    int rc = mdb_env_create(&o->db->env);
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_set_maxdbs(o->db->env, LMDB_TABLE_COUNT);
    }
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_set_mapsize(o->db->env, (size_t)map_size);
    }
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_open(o->db->env, options->path, flags, 0644);
    }
    if (rc != MDB_SUCCESS && o->db->env != NULL) {
        mdb_env_close(o->db->env); /* one that failed to open cannot be tried again */
        o->db->env = NULL;
    }
    return rc;
}

/** Opens the environment with as much address space as can be had. */
static cevm_err map_file(const opening *o)
{
    const uint64_t wanted = o->options->map_size;
    uint64_t size = wanted != 0 ? wanted : DEFAULT_MAP;
    if (size > SIZE_MAX / 4) {
        size = SIZE_MAX / 4;
    }
    int rc = open_environment(o, size, 0);
    while (rc == ENOMEM && wanted == 0 && size > LEAST_MAP) {
        size /= 2;
        rc = open_environment(o, size, 0);
    }
    if ((rc == EACCES || rc == EROFS) && o->options->read_only) {
        rc = open_environment(o, size, MDB_NOLOCK); /* nobody can write here, so nobody has to be kept away */
    }
    return say_lmdb(o, "the database cannot be opened", rc);
}

/* ---- The format ------------------------------------------------------------------------------------------------------ */

static cevm_bytes bytes_of(const char *text) { return (cevm_bytes){(const uint8_t *)text, strlen(text)}; }

static cevm_err put_number(cevm_lmdb *db, const char *name, uint64_t number)
{
    uint8_t record[LMDB_NUMBER];
    cevm_store_be64(record, number);
    return cevm_lmdb_put(db, LMDB_META, name, strlen(name), (cevm_bytes){record, sizeof record});
}

static cevm_err load_number(cevm_lmdb *db, const char *name, uint64_t *out)
{
    bool found = false;
    cevm_bytes record;
    const cevm_err err = cevm_lmdb_get(db, &found, &record, LMDB_META, name, strlen(name));
    if (err != CEVM_OK || !found || record.size != LMDB_NUMBER) {
        return err != CEVM_OK ? err : cevm_lmdb_corrupt(db, "the record \"%s\" is damaged or missing", name);
    }
    *out = cevm_load_be64(record.data);
    return CEVM_OK;
}

/** Opens the tables; with `make` those that are missing are made. */
static int open_tables(cevm_lmdb *db, bool make)
{
    int rc = MDB_SUCCESS;
    for (size_t i = 0; rc == MDB_SUCCESS && i < LMDB_TABLE_COUNT; ++i) {
        rc = mdb_dbi_open(db->writer, table_names[i], make ? MDB_CREATE : 0, &db->tables[i]);
    }
    return rc;
}

/** Whether the file holds nothing at all. */
static bool is_blank(cevm_lmdb *db)
{
    MDB_stat stat;
    return mdb_env_stat(db->env, &stat) == MDB_SUCCESS && stat.ms_entries == 0;
}

static cevm_err make_store(cevm_lmdb *db)
{
    cevm_err err = cevm_lmdb_fail(db, "the tables cannot be made", open_tables(db, true));
    if (err == CEVM_OK) {
        err = cevm_lmdb_put(db, LMDB_META, format_name, sizeof format_name - 1, bytes_of(format_value));
    }
    if (err == CEVM_OK) {
        err = put_number(db, history_name, DEFAULT_HISTORY);
    }
    if (err == CEVM_OK) {
        err = put_number(db, receipts_name, CEVM_LMDB_ARCHIVE);
    }
    if (err == CEVM_OK) {
        db->head = (lmdb_head){.root = cevm_trie_empty_root};
        err = cevm_lmdb_put_head(db);
    }
    return err;
}

static cevm_err check_format(cevm_lmdb *db)
{
    bool found = false;
    cevm_bytes record;
    cevm_err err = cevm_lmdb_get(db, &found, &record, LMDB_META, format_name, sizeof format_name - 1);
    if (err != CEVM_OK) {
        return err;
    }
    if (!found || record.size != sizeof format_value - 1 || memcmp(record.data, format_value, record.size) != 0) {
        return cevm_lmdb_corrupt(db, "the store is in a format that this version does not know");
    }
    err = load_number(db, history_name, &db->history);
    if (err == CEVM_OK) {
        err = load_number(db, receipts_name, &db->receipts);
    }
    return err == CEVM_OK ? cevm_lmdb_load_head(db) : err;
}

/** Remembers from now on what the options say. */
static cevm_err change_limits(cevm_lmdb *db, const cevm_lmdb_options *options)
{
    cevm_err err = CEVM_OK;
    if (options->has_history && options->history != db->history) {
        db->history = options->history;
        err = put_number(db, history_name, options->history);
    }
    if (err == CEVM_OK && options->has_receipts && options->receipts != db->receipts) {
        db->receipts = options->receipts;
        err = put_number(db, receipts_name, options->receipts);
    }
    return err;
}

static cevm_err load_format(const opening *o)
{
    cevm_lmdb *db = o->db;
    const cevm_lmdb_options *options = o->options;
    const bool blank = is_blank(db);
    if (blank && !options->create) {
        return say(o, CEVM_ERR_BACKEND, "data.mdb is empty: there is no store here");
    }
    int rc = mdb_txn_begin(db->env, NULL, options->read_only ? MDB_RDONLY : 0, &db->writer);
    if (rc != MDB_SUCCESS) {
        return say_lmdb(o, "the database cannot be read", rc);
    }
    cevm_err err = CEVM_OK;
    if (blank) {
        err = make_store(db);
    } else {
        rc = open_tables(db, false);
        err = rc == MDB_NOTFOUND ? cevm_lmdb_corrupt(db, "this is another program's database, or a table is missing")
                                 : cevm_lmdb_fail(db, "a table cannot be opened", rc);
    }
    if (err == CEVM_OK) {
        err = check_format(db);
    }
    if (err == CEVM_OK && !options->read_only) {
        err = change_limits(db, options);
    }
    err = cevm_lmdb_end(db, NULL, err);
    return err == CEVM_OK ? CEVM_OK : say(o, err, db->text);
}

/* ---- Public ---------------------------------------------------------------------------------------------------------- */

static cevm_err open_store(opening *o)
{
    cevm_err err = CEVM_OK;
    if (o->options->create && mkdir(o->options->path, 0755) != 0 && errno != EEXIST) {
        return say_lmdb(o, "the folder cannot be made", errno);
    }
    if (!o->options->create && access(o->options->path, F_OK) != 0) {
        return say_lmdb(o, "there is no store here", errno);
    }
    if (!o->options->read_only) {
        if (!o->options->create) {
            err = check_file(o); /* leaves no lock file behind where there is no store */
        }
        err = err == CEVM_OK ? lock_writer(o) : err;
    }
    if (err == CEVM_OK && o->options->read_only && o->options->check_pages) {
        err = lock_check(o);
    }
    if (err == CEVM_OK) {
        err = check_file(o);
    }
    if (err == CEVM_OK) {
        err = check_pages(o);
    }
    if (err == CEVM_OK && !o->options->read_only && !cevm_lmdb_break_seal(o->db->writer_lock)) {
        err = say_lmdb(o, "writer.lock cannot be written", errno);
    }
    if (err == CEVM_OK && !o->options->read_only) {
        err = reserve_lock_file(o);
    }
    if (err == CEVM_OK) {
        err = map_file(o);
    }
    if (err == CEVM_OK) {
        err = load_format(o);
    }
    o->db->has_seal = err == CEVM_OK && !o->options->read_only && !o->options->no_sync;
    return err;
}

cevm_err cevm_lmdb_open(cevm_lmdb **out, cevm_lmdb_error *error, const cevm_lmdb_options *options)
{
    *out = NULL;
    error->text[0] = '\0';
    if (options->struct_size != sizeof *options || options->path == NULL || (options->create && options->read_only)) {
        return CEVM_ERR_ARGUMENT;
    }
    opening o = {.options = options, .error = error};
    const int size = snprintf(o.data, sizeof o.data, "%s/data.mdb", options->path);
    if (size < 0 || (size_t)size >= MAX_PATH_SIZE) {
        return say(&o, CEVM_ERR_ARGUMENT, "the path is too long");
    }
    o.db = cevm_zalloc(options->allocator, sizeof *o.db);
    if (o.db == NULL) {
        return say(&o, CEVM_ERR_NOMEM, cevm_err_string(CEVM_ERR_NOMEM));
    }
    o.db->allocator = options->allocator;
    o.db->read_only = options->read_only;
    o.db->writer_lock = -1;
    cevm_buf_init(&o.db->scratch, options->allocator);
    cevm_buf_init(&o.db->value, options->allocator);
    const cevm_err err = open_store(&o);
    if (err != CEVM_OK) {
        cevm_lmdb_close(o.db);
        return err;
    }
    *out = o.db;
    return CEVM_OK;
}

void cevm_lmdb_close(cevm_lmdb *db)
{
    if (db == NULL) {
        return;
    }
    if (db->block_open) {
        (void)cevm_lmdb_end_block(db, false);
    }
    if (db->move != NULL) {
        (void)cevm_lmdb_end_move(db, false);
    }
    if (db->reader != NULL) {
        mdb_txn_abort(db->reader);
    }
    mdb_filehandle_t data;
    if (db->has_seal && mdb_env_get_fd(db->env, &data) == MDB_SUCCESS) {
        cevm_lmdb_put_seal(db->writer_lock, data);
    }
    if (db->env != NULL) {
        mdb_env_close(db->env);
    }
    if (db->writer_lock >= 0) {
        (void)close(db->writer_lock);
    }
    cevm_lmdb_free_walk(db);
    cevm_buf_free(&db->scratch);
    cevm_buf_free(&db->value);
    cevm_free(db->allocator, db->accounts);
    cevm_free(db->allocator, db->slots);
    cevm_free(db->allocator, db);
}

//! Every limit, named, with its source. Nothing in the house counts against a bare number.

/// Bytes of a KV key (kv/platform/limits).
pub const KV_KEY_BYTES_MAX: usize = 512;
/// Bytes of a KV value: 25 MiB (kv/platform/limits).
pub const KV_VALUE_BYTES_MAX: u64 = 25 * 1024 * 1024;
/// Bytes of a KV entry's metadata as JSON (kv/platform/limits).
pub const KV_METADATA_BYTES_MAX: usize = 1024;
/// Seconds: the shortest `expirationTtl` KV accepts (kv/api/write-key-value-pairs).
pub const KV_EXPIRATION_TTL_S_MIN: u64 = 60;
/// Seconds: the shortest `cacheTtl` of a KV read (kv/api/read-key-value-pairs).
pub const KV_CACHE_TTL_S_MIN: u64 = 30;
/// Chunks of one body in KV: half of the thousand operations one invocation has (kv/platform/limits), for a
/// fill that fails takes back what it wrote. Chunks of 8 MiB hold 4 GiB, chunks of 1 MiB the 512 MB of the edge.
pub const CHUNKS_MAX: u64 = 490;
/// Bytes of a manifest: [`CHUNKS_MAX`] chunks at about 80 bytes each.
pub const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a body's beginning that stand beside its manifest, so that the first byte costs one read.
pub const HEAD_BYTES_MAX: u64 = 1024 * 1024;
/// Milliseconds the first byte waits for the first chunk to open: a store that is near answers well inside it,
/// and then nothing broken is ever begun; one that is far must not cost the first byte a second read.
pub const FIRST_CHUNK_WAIT_MS: u32 = 25;
/// Seconds a data centre may answer a chunk from its own copy: a generation's chunk never changes.
pub const CHUNK_CACHE_TTL_S: u64 = 86_400;
/// Seconds after the end of its first lifetime for which an entry may be extended while its source is unchanged, or as
/// long as that lifetime was, where that is longer. What the source says of itself is asked beside the transform and
/// may be newer than the rendition: this is for how long such a mistake can last. Chunks outlive their entry by it.
pub const EXTENSION_S_MIN: u64 = 7 * 86_400;
/// Seconds a second name of a new entry lives: KV remembers for a minute that there was none under the first
/// (how-kv-works), and what waited at the gate comes at once.
pub const ALIAS_TTL_S: u64 = 120;
/// How often one operation of KV is tried where it may be repeated.
pub const KV_TRIES_MAX: u32 = 2;
/// Bytes of a validator of a source that are remembered.
pub const SOURCE_VALIDATOR_BYTES_MAX: usize = 96;
/// Bytes of a body the Cache API keeps: 512 MB (workers/platform/limits).
pub const EDGE_BODY_BYTES_MAX: u64 = 512_000_000;

/// Milliseconds without a beat after which a filler counts as gone: three beats lost, not one late.
pub const LEASE_MS: u64 = 10_000;
/// Milliseconds between two beats of a filler.
pub const LEASE_BEAT_MS: u32 = 3_000;
/// Milliseconds for which others wait for the holder of one lease at the most, whatever beats: four times what the
/// platform grants a fill whose viewer has left (workers/platform/limits, `waitUntil`).
pub const LEASE_AGE_MS_MAX: u64 = 120_000;
/// Milliseconds a gate tells of what was kept, where it lives that long: longer than a data centre may remember that
/// KV had nothing, which is 60 s (kv/concepts/how-kv-works).
pub const OUTCOME_MS: u64 = 90_000;
/// Milliseconds a gate tells that nothing was kept: short, for the next answer may be another.
pub const OUTCOME_NOTHING_MS: u64 = 5_000;
/// How often a request looks for what the gate told of before it makes its own: what was told first may be a failure
/// that is over, or be unreadable; then one makes another, and the rest find that.
pub const LOOKS_MAX: u32 = 2;
/// Bytes of a question to the gate: an entry's metadata with every byte escaped as JSON, and some words.
pub const GATE_QUESTION_BYTES_MAX: usize = 6 * KV_METADATA_BYTES_MAX + 256;
/// Milliseconds between the first two looks of somebody who waits at the gate; each pause is twice the last.
pub const GATE_PAUSE_MS_MIN: u32 = 10;
/// Milliseconds between two looks of somebody who waits at the gate: 200 of them cost 2,000 looks a second.
pub const GATE_PAUSE_MS_MAX: u32 = 100;

/// Pixels: the smallest side the transformation makes (stream/transform-videos).
pub const SIDE_PX_MIN: u16 = 10;
/// Pixels: the largest side the transformation makes (stream/transform-videos).
pub const SIDE_PX_MAX: u16 = 2000;
/// Milliseconds: the latest start, 10 minutes (stream/transform-videos).
pub const TIME_MS_MAX: u32 = 600_000;
/// Milliseconds: the shortest clip, 1 s (stream/transform-videos).
pub const DURATION_MS_MIN: u32 = 1_000;
/// Milliseconds: the longest clip, 60 s (stream/transform-videos).
pub const DURATION_MS_MAX: u32 = 60_000;
/// Pictures on a spritesheet: the platform names no bound; a 1,000-cell sheet is already unreadable.
pub const IMAGE_COUNT_MAX: u16 = 1_000;
/// Characters of a download name (stream/transform-videos).
pub const FILENAME_CHARS_MAX: usize = 120;
/// Thousandths of a physical pixel to a CSS pixel: a page zoomed out to a tenth.
pub const DPR_THOUSANDTHS_MIN: u32 = 100;
/// Thousandths of a physical pixel to a CSS pixel: beyond 4 no screen gains.
pub const DPR_THOUSANDTHS_MAX: u32 = 4_000;
/// Pixels: the largest width that a hint or `imwidth` may name before it is called garbage.
pub const VIEWPORT_PX_MAX: u16 = 16_384;
/// Bytes of a `User-Agent` that are read: the device is named at its beginning.
pub const USER_AGENT_BYTES_MAX: usize = 512;
/// Names of presets that an error message lists.
pub const SHOWN_PRESETS_MAX: usize = 8;

/// Bytes of a query string that are read; twice the longest honest one.
pub const QUERY_BYTES_MAX: usize = 4_096;
/// Parameters of a query that are read.
pub const QUERY_PARAMETERS_MAX: usize = 64;
/// Bytes of a path: leaves room in a 16 KB URL for the transformation's own part.
pub const PATH_BYTES_MAX: usize = 2_048;
/// Characters of a viewer's value that an error message repeats.
pub const SHOWN_VALUE_CHARS_MAX: usize = 64;
/// Bytes of a `Range` header that are read; more is ignored like any invalid range.
pub const RANGE_HEADER_BYTES_MAX: usize = 1_024;
/// Ranges of one `Range` header that are answered with their parts; more are answered with the whole.
pub const RANGES_MAX: usize = 8;
/// Entity tags of one `If-None-Match` or `If-Match` that are compared.
pub const ENTITY_TAGS_MAX: usize = 64;

/// Bytes of one cache tag; the platform allows 1,024 at purge time, metadata does not.
pub const TAG_BYTES_MAX: usize = 128;
/// Tags of one entry.
pub const TAGS_MAX: usize = 24;
/// Folder prefixes of a path that become tags, from the top.
pub const FOLDER_TAGS_MAX: usize = 8;

/// Milliseconds after which a chunk without an entry is an orphan: no fill publishes anything after so long, no write
/// is invisible for so long, and nobody goes on with a body for so long that has been replaced.
pub const ORPHAN_MS_MIN: u64 = 3_600_000;
/// Milliseconds after its beginning at which a fill may still publish its chunks: a viewer who pauses holds it up, and
/// nobody may have called them orphans by then.
pub const FILL_MS_MAX: u64 = ORPHAN_MS_MIN / 2;
/// Operations of KV in one run of the scrub: half of the thousand an invocation has (kv/platform/limits).
pub const SCRUB_OPERATIONS_MAX: u64 = 500;
/// Bytes that one run of the scrub reads: about a second of hashing, of the 30 s an invocation has.
pub const SCRUB_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Seconds for which the scrub knows where it stopped.
pub const SCRUB_MEMORY_S: u64 = 7 * 86_400;
/// Milliseconds for which an isolate leaves an errand to the request of its own that has begun it.
pub const ERRAND_MS: u64 = 10_000;
/// Milliseconds after which a request that is still on a renewal claims it again.
pub const ERRAND_BEAT_MS: u32 = 3_000;
/// Errands of an isolate that are remembered.
pub const ERRANDS_MAX: usize = 256;
/// Redirects of a source that are followed: what a CDN or a store needs, and the end of every loop.
pub const SOURCE_REDIRECTS_MAX: u32 = 3;
/// Bytes of an address that is fetched: twice the longest signed URL of a store.
pub const ADDRESS_BYTES_MAX: usize = 8_192;
/// Seconds over which the limiters count: the longer of the two that the platform offers, and what `wrangler.jsonc` says
/// (workers/runtime-apis/bindings/rate-limit).
pub const LIMIT_PERIOD_S: u64 = 60;
/// Milliseconds a miss waits for its limiter; one that is slower admits. It counts on the machine it is asked on.
pub const LIMITER_WAIT_MS: u32 = 100;
/// Bytes of a redirect's `Location` that is handed on: it must fit in an entry's metadata.
pub const LOCATION_BYTES_MAX: usize = 512;
/// Seconds: the longest `Retry-After` that is handed on.
pub const RETRY_AFTER_S_MAX: u64 = 3_600;
/// Seconds after which an overloaded transformer may be asked again, where it does not say.
pub const RETRY_AFTER_S_DEFAULT: u64 = 5;

/// Bytes of the configuration document that are parsed.
pub const CONFIG_BYTES_MAX: usize = 256 * 1024;
/// Origin rules of one configuration.
pub const ORIGINS_MAX: usize = 64;
/// Sources of one origin rule: each is a fetch on the way to an error.
pub const SOURCES_MAX: usize = 4;
/// Entries of `sources.allow`: each is compared with every source and redirect.
pub const ALLOW_MAX: usize = 64;
/// Presets of one configuration.
pub const PRESETS_MAX: usize = 128;
/// Responsive buckets: each multiplies what is stored of every video.
pub const BUCKETS_MAX: usize = 12;
/// Rungs of a ladder of widths or of heights: what is asked freely costs at most so many variants a side.
pub const LADDER_MAX: usize = 16;
/// Keys that sign URLs side by side: a rotation needs two, a few signers one each.
pub const SIGNING_KEYS_MAX: usize = 8;
/// Seconds: the longest lifetime, one year (RFC 2616 14.21's old advice, still the field's custom).
pub const TTL_S_MAX: u64 = 31_536_000;
/// Bytes of a body of unknown length that are held, outside wasm, to measure it: an isolate has 128 MB
/// for all its requests (workers/platform/limits).
pub const SPOOL_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes a viewer may lag behind the copy of the same body: a paused player stops no fill of an ordinary rendition.
/// Beyond it the copy waits: an isolate has 128 MB for all its requests (workers/platform/limits).
pub const VIEWER_LAG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes a copy may lag behind its viewer: who writes it holds two chunks beside.
pub const COPY_LAG_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Bytes that are read ahead of the faster of the two.
pub const FORK_AHEAD_BYTES_MAX: u64 = 256 * 1024;
/// Bytes that may wait in all bodies that are viewed and copied in an isolate; beyond, they go on in step.
pub const FORKS_LAG_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Milliseconds a viewer's first byte may wait for a source to say how long it is: a good one answers a HEAD in a
/// tenth of it, and making a rendition takes longer.
pub const PROBE_MS_MAX: u32 = 1_000;

/// Lists and objects inside each other in what is kept or sent: what `serde_json` has as well; ours are five.
pub const JSON_DEPTH_MAX: usize = 128;
/// Changes of a durable object's storage that are one (durable-objects/api/sqlite-storage-api, `put`).
pub const DURABLE_CHANGES_MAX: usize = 128;
/// Bytes of one text in a durable object, with its name: 2 MB (durable-objects/platform/limits).
pub const DURABLE_TEXT_BYTES_MAX: usize = 2_000_000;

/// Targets of purges that the ledger tells apart; beyond, the oldest share buckets.
pub const LEDGER_TARGETS_MAX: usize = 1_024;
/// Prefixes of purges that the ledger tells apart; every one is compared with the path of what was made before.
pub const LEDGER_PREFIXES_MAX: usize = 64;
/// Buckets for what is folded, of each of six kinds: a path shares its own with one folded path in 1 of 1,024 cases.
pub const LEDGER_BUCKETS: u64 = 1_024;
/// Bytes of the ledger: isolates read it every few seconds. [`LEDGER_TARGETS_MAX`] targets at about 40 bytes,
/// [`LEDGER_PREFIXES_MAX`] prefixes of [`PURGE_PREFIX_BYTES_MAX`] with their hosts, and all buckets at about 25.
pub const LEDGER_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a prefix that is purged, without its host.
pub const PURGE_PREFIX_BYTES_MAX: usize = 512;
/// Milliseconds until a write to KV is seen elsewhere (kv/concepts/how-kv-works).
pub const KV_VISIBLE_MS: u64 = 60_000;
/// Milliseconds a look at the ledger may take; a request that has to wait for it waits no longer.
pub const LEDGER_READ_TIMEOUT_MS: u32 = 1_000;
/// Bytes of one answer of Cloudflare's API: a page of a thousand audit records at a few hundred bytes to some kilobytes.
pub const API_ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Targets of one call to purge.
pub const PURGE_TARGETS_MAX: usize = 1_000;
/// Bytes of a tag that is purged (cache/how-to/purge-cache/purge-by-tags).
pub const PURGE_TAG_BYTES_MAX: usize = 1_024;
/// Bytes of an address that is purged: the longest path with the longest query, and room for its host.
pub const PURGE_URL_BYTES_MAX: usize = PATH_BYTES_MAX + QUERY_BYTES_MAX + 512;
/// Bytes of a host that is purged, with its port (RFC 1035 2.3.4).
pub const PURGE_HOST_BYTES_MAX: usize = 260;
/// Mistakes of one call to purge that are named.
pub const PURGE_ERRORS_MAX: usize = 100;
/// Purges whose receipts are kept.
pub const PURGES_KEPT_MAX: u64 = 1_000;
/// Receipts of a page of the log.
pub const PURGE_PAGE_MAX: u32 = 100;
/// Bytes of receipts after which a page of the log ends: one is at most as long as what was sent, twice over.
pub const PURGE_PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds a question to the ledger's object may take.
pub const LEDGER_ASK_TIMEOUT_MS: u32 = 10_000;
/// Milliseconds between two writes of the ledger to KV: one a second to a key (kv/platform/limits).
pub const MIRROR_PAUSE_MS: u64 = 1_000;
/// Milliseconds a write of the ledger to KV may take.
pub const MIRROR_TIMEOUT_MS: u32 = 10_000;
/// Milliseconds until a ledger that KV did not take is written again, at the most.
pub const MIRROR_RETRY_MS_MAX: u64 = 60_000;
/// Milliseconds for which a write to KV that was given up may still arrive: twice what the platform grants work whose
/// request is over (workers/platform/limits, `waitUntil`).
pub const MIRROR_DOUBT_MS: u64 = 60_000;
/// Milliseconds for which purges stay in the ledger at the least: forgetting only makes room, and room there is.
pub const PURGE_REMEMBERED_MS_MIN: u64 = 400 * 86_400_000;
/// Milliseconds by which what is kept may outlive what the configuration says: it is heard of late, and so are purges.
pub const PURGE_REMEMBERED_MS_SLACK: u64 = 86_400_000;
/// Milliseconds of purges that are forgotten together.
pub const PURGE_EPOCH_MS: u64 = 30 * 86_400_000;

/// Items of one request to the zone's purge API (cache/how-to/purge-cache, limits).
pub const ZONE_ITEMS_MAX: usize = 100;
/// Requests that may follow each other at once, on every plan (cache/how-to/purge-cache, limits).
pub const ZONE_BURST: u64 = 25;
/// Bytes of items that wait for the zone, with what is noted of each: what is stored of them is at most twice as long.
/// Beyond, all that is ours is purged there instead.
pub const ZONE_QUEUE_BYTES_MAX: usize = 512 * 1024;
/// Requests to the zone in one run of the object: the rest follows in the next.
pub const ZONE_REQUESTS_A_RUN: u32 = 10;
/// Milliseconds a request to the zone may take.
pub const ZONE_TIMEOUT_MS: u32 = 20_000;
/// Milliseconds until a request to the zone that failed is made again; each wait is twice the last.
pub const ZONE_RETRY_MS_MIN: u64 = 1_000;
/// Milliseconds between two tries at the most.
pub const ZONE_RETRY_MS_MAX: u64 = 300_000;
/// Milliseconds between two tries where only an operator can mend it.
pub const ZONE_REFUSED_MS: u64 = 900_000;
/// Characters of what the zone said that are kept.
pub const ZONE_ERROR_CHARS_MAX: usize = 300;
/// Purges of the zone that are remembered, to know them again in the account's audit log.
pub const ECHOES_MAX: usize = 2_000;
/// Milliseconds for which they are: longer than the audit log may be late.
pub const ECHO_KEPT_MS: u64 = 3 * 86_400_000;
/// Milliseconds by which the audit log's time of a purge may differ from ours.
pub const ECHO_SKEW_MS: u64 = 300_000;
/// Purges of the audit log that are taken at once: each changes two names of the object's storage.
pub const AUDITED_MAX: usize = 50;
/// Milliseconds for which the ledger knows a record of the audit log again: far longer than such are read again.
pub const AUDIT_OVERLAP_MS: u64 = 86_400_000;
/// Records of the audit log that are remembered; a forgotten one would be applied again, which costs renditions.
pub const AUDIT_IDS_MAX: usize = 20_000;
/// Records a page of the audit log is asked for: the default of the API, which names no largest; each may tell of
/// 500 URLs.
pub const AUDIT_PAGE_RECORDS: u32 = 100;
/// Pages of one stretch of the audit log; where it has more, a shorter stretch is read.
pub const AUDIT_PAGES_MAX: u32 = 10;
/// Stretches that a run tries: with [`AUDIT_PAGES_MAX`] it stays under the 50 requests of the free plan
/// (workers/platform/limits), and one a minute under the API's 1,200 in five minutes
/// (fundamentals/api/reference/limits).
pub const AUDIT_STRETCHES_MAX: u32 = 4;
/// Milliseconds before the watermark that are read again, for records that come late: no document says how late.
pub const AUDIT_AGAIN_MS: u64 = 3_600_000;
/// Milliseconds that the first run looks back: whoever turns this on has often just purged in vain.
pub const AUDIT_FIRST_MS: u64 = 86_400_000;
/// Milliseconds of downtime after which purges count as missed: the log keeps 18 months, but its first release
/// promised 30 days, and what was kept for so long has mostly expired.
pub const AUDIT_REACH_MS: u64 = 30 * 86_400_000;
/// Milliseconds back from which a run goes on after that: a day less, so that it does not happen again at once.
pub const AUDIT_RESUME_MS: u64 = 29 * 86_400_000;
/// Milliseconds a page of the audit log may take.
pub const AUDIT_PAGE_TIMEOUT_MS: u32 = 10_000;

/// KV operations of one run of the sweep.
pub const SWEEP_OPERATIONS_MAX: u64 = 400;
/// KV operations of one invocation (kv/platform/limits).
pub const KV_OPERATIONS_MAX: u64 = 1_000;
/// Names of a page of KV (kv/api/list-keys).
pub const KV_LIST_MAX: u32 = 1_000;
/// Pages of KV that a dry run reads, of a thousand names each.
pub const DRY_RUN_PAGES_MAX: u32 = 20;
/// Entries that a dry run names.
pub const DRY_RUN_EXAMPLES_MAX: u64 = 10;

/// Bytes of a body that an operator sends: a configuration, and room for what other calls say beside their lists.
pub const ADMIN_BODY_BYTES_MAX: u64 = CONFIG_BYTES_MAX as u64 + 16 * 1024;
/// Milliseconds for which such a body may give nothing.
pub const ADMIN_BODY_STALL_MS: u32 = 10_000;
/// Characters of the name of who does something.
pub const BY_CHARS_MAX: usize = 128;
/// Characters of what is noted with it.
pub const NOTE_CHARS_MAX: usize = 512;
/// Versions of the configuration that are kept.
pub const CONFIG_VERSIONS_MAX: u64 = 100;
/// Milliseconds a question to a durable object of the operator's may take: it may have to wait for its turn, and
/// write to KV.
pub const OBJECT_MS_MAX: u32 = 15_000;
/// Milliseconds a question waits in an object for those before it.
pub const OBJECT_TURN_MS_MAX: u64 = 8_000;
/// Milliseconds between two looks of somebody who waits there.
pub const OBJECT_TURN_PAUSE_MS: u32 = 20;
/// Milliseconds a document in KV may take to be read or written.
pub const DOCUMENT_MS_MAX: u32 = 3_000;
/// Milliseconds for which KV may show what was there before (kv/concepts/how-kv-works).
pub const KV_LAG_MS: u64 = 60_000;
/// Milliseconds after which a configuration that KV did not take is written again; each wait is twice the last.
pub const CONFIG_RETRY_MS_MIN: u64 = 2_000;
/// Milliseconds between two tries at the most.
pub const CONFIG_RETRY_MS_MAX: u64 = 900_000;
/// How often it is tried: for about a day. A later call tries once more.
pub const CONFIG_TRIES_MAX: u32 = 100;
/// Entries of a page that a call lists.
pub const PAGE_MAX: u64 = 1_000;
/// Entries of a page where the call does not say.
pub const PAGE_DEFAULT: u64 = 100;
/// Pages of KV that one page of ours is made of: a page of KV may be empty and not the last.
pub const PAGE_LISTS_MAX: u32 = 10;
/// Headers of a request that is explained.
pub const EXPLAINED_HEADERS_MAX: usize = 16;

/// Renditions of one warming job: each may be billed, and a mistake must not cost more than this.
pub const WARM_ITEMS_MAX: usize = 100;
/// Renditions that a job may name before those that are the same are put together.
pub const WARM_NAMED_MAX: usize = 1_000;
/// Renditions that a job makes side by side: viewers come first.
pub const WARM_AT_ONCE: usize = 2;
/// Milliseconds a job pauses after a rendition that has to be tried again: what is overloaded is not pressed.
pub const WARM_PAUSE_MS: u64 = 5_000;
/// How often a rendition is tried whose making was cut short, or whose failure may be over soon.
pub const WARM_TRIES_MAX: u32 = 3;
/// Milliseconds one rendition may take: far more than a transform and a write, and a third of what an alarm has
/// (durable-objects/platform/limits: 15 minutes).
pub const WARM_ITEM_MS_MAX: u32 = 300_000;
/// Milliseconds after which a job that stands still is taken up again.
pub const WARM_WATCH_MS: u64 = 60_000;
/// Milliseconds for which a finished job can be looked at: 7 days.
pub const WARM_KEPT_MS: u64 = 7 * 86_400_000;
/// Milliseconds a warming job may take to answer: it reads and writes its own storage, and nothing else.
pub const WARM_ANSWER_MS_MAX: u32 = 5_000;

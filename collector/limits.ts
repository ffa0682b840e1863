/** What the collector takes at most. Beyond each of these something is refused or put together, and counted. */

/** Bytes of a request's body as it comes, and of what it unpacks to. */
export const BODY_BYTES = 4 * 1024 * 1024;
export const UNPACKED_BYTES = 16 * 1024 * 1024;
/** Bytes that a byte of gzip may unpack to: records of one kind reach some 30, a bomb 1,000. */
export const RATIO = 100;
/** Bytes that may be unpacked whatever the ratio. */
export const RATIO_FREE_BYTES = 256 * 1024;
/** Bytes of all requests of ingest that are being worked on; more are told to come again. */
export const QUEUE_BYTES = 48 * 1024 * 1024;
/** Requests of ingest that wait for the database; more are told to come again. */
export const QUEUE_REQUESTS = 64;
/** Log records of a request; those behind are rejected. */
export const RECORDS = 5_000;
/** Resources and scopes of a request, together. */
export const GROUPS = 2_000;
/** Attributes of a record or resource; one with more is rejected. */
export const ATTRIBUTES = 128;
/** Bytes of a value that are looked at; each field of an event has a smaller bound of its own. */
export const VALUE_BYTES = 8_192;
/** Values in a list. */
export const LIST = 32;
/** Of JSON: nesting, of which OTLP needs 13, and values. Both cost memory a multiple of the bytes that say them. */
export const JSON_DEPTH = 64;
export const JSON_VALUES = 1_000_000;

/** Distinct services, endpoints and fingerprints that are told apart; what comes after is put to `other`. */
export const SERVICES = 1_000;
export const ENDPOINTS = 10_000;
export const FINGERPRINTS = 50_000;
/** Operations that are told apart, in all and of a service in a direction; what comes after is put to the service's `other`. */
export const OPERATIONS = 10_000;
export const OPERATIONS_OF_SERVICE = 500;
/** What is kept of an operation; what comes after is passed over. */
export const PARAMETERS = 64;
export const CONTENT_TYPES = 8;
export const CALLERS = 16;
export const HOSTS = 8;
/** Components of a service, those of the hosts that it calls among them. */
export const COMPONENTS = 200;
/** Ids that were handed out within the last hour, in memory; subjects that got them; collections; uses that wait to be judged. */
export const EXCHANGE_IDS = 100_000;
export const SUBJECTS = 20_000;
export const COLLECTIONS = 5_000;
export const PENDING_USES = 10_000;
/** Ids of people that were asked for, and who asked; walks through ids. */
export const PEOPLE = 10_000;
export const WALKS = 5_000;
/** Flaws that wait to be stored. */
export const FOUND = 1_000;
/** Subjects of a collection that are told apart. */
export const OWNERS = 1_000;
/** What is kept of all collections' subjects and the ids that these used. */
export const COLLECTION_ENTRIES = 400_000;
/** Events that are kept, whatever their age; the oldest go first. */
export const EVENTS = 2_000_000;
/** Entries of the audit log that are kept. */
export const AUDIT_ENTRIES = 100_000;
/** Label values of a metric, then `other`; and of class and service together. */
export const LABELS = 200;
export const LABEL_PAIRS = 1_000;
/** Series of findings by endpoint; the surest and gravest are told. */
export const ENDPOINT_SERIES = 1_000;
/** Clients whose attacks are remembered for a while, in memory; the one that was quiet longest goes. */
export const ATTACKERS = 10_000;

// What a generated table may cost. A limit that breaks stops the generator before anything is written.

/** Kinds of token in one alphabet: a symbol is a byte, 0 is End, and some codes stay free for the runner's caller. */
export const MAX_KINDS = 250;
/** Automata side by side in one table: a lane is 16 bits of a 64-bit state. */
export const MAX_LANES = 4;
/** States of one lane: a number is kept in 15 bits, the 16th says "accepts". */
export const MAX_STATES = 0x8000;
/** Up to so many states a cell is one byte, which halves the lane. */
export const NARROW_STATES = 256;
/** Bytes of one table; the tables of all classes must fit beside the code in a module of 512 KiB, and most are far smaller. */
export const MAX_TABLE_BYTES = 96 * 1024;
/** Bytes that a table may take to save a lane, which costs two loads a token. */
export const FAIR_TABLE_BYTES = 16 * 1024;
/** Bytes of one keyword table; a word's place in it is stored in 16 bits. */
export const MAX_KEYWORD_BYTES = 16 * 1024;
/** Length of a keyword: the set of lengths is a 64-bit mask. */
export const MAX_WORD = 63;
/** Copies that one `{n,m}` may ask for. */
export const MAX_REPEAT = 64;
/** States of a lane before minimization: beyond it the patterns grow exponentially. */
export const MAX_RAW_STATES = 4_000;
/** Kinds of byte: three groups of eight, see assembly/core/classify.ts. */
export const MAX_BYTE_KINDS = 24;

// What a generated table may cost. A limit that breaks stops the generator before anything is written.

/** Kinds of token in one alphabet: a symbol is a byte, 0 is End, and some codes stay free for the runner's caller. */
export const MAX_KINDS = 250;
/** An id is premultiplied by the stride and stored in 16 bits. */
export const MAX_ID = 0xffff;
/** Bytes of one automaton; twenty of them must fit beside the code in a module of 512 KiB, most are far smaller. */
export const MAX_TABLE_BYTES = 64 * 1024;
/** Bytes of one keyword table; a word's place in it is stored in 16 bits. */
export const MAX_KEYWORD_BYTES = 16 * 1024;
/** Length of a keyword: the set of lengths is a 64-bit mask. */
export const MAX_WORD = 63;
/** Copies that one `{n,m}` may ask for. */
export const MAX_REPEAT = 64;
/** States before minimization: beyond it a pattern is growing exponentially and should be written otherwise. */
export const MAX_RAW_STATES = 20_000;
/** Kinds of byte: three groups of eight, see assembly/core/classify.ts. */
export const MAX_BYTE_KINDS = 24;

// Made from rules/kinds.yaml by scripts/generate. DO NOT EDIT.
// 24 kinds of byte and the nibble tables that find 16 bytes' kinds at once: core/classify.ts.

export const enum Kind {
  Control = 1 << 0,
  Space = 1 << 1,
  Quote = 1 << 2,
  Percent = 1 << 3,
  Ampersand = 1 << 4,
  Paren = 1 << 5,
  Dollar = 1 << 6,
  Slash = 1 << 7,
  Hash = 1 << 8,
  Dash = 1 << 9,
  Dot = 1 << 10,
  Plus = 1 << 11,
  Star = 1 << 12,
  Semicolon = 1 << 13,
  Angle = 1 << 14,
  Equals = 1 << 15,
  Backslash = 1 << 16,
  Backtick = 1 << 17,
  Pipe = 1 << 18,
  Brace = 1 << 19,
  Bracket = 1 << 20,
  High = 1 << 21,
  CaretTilde = 1 << 22,
  Colon = 1 << 23,
}

/** Low nibble: 3 groups of 8 kinds, 16 bytes each. */
export const KIND_LOW: usize = memory.data<u8>([
  3, 1, 5, 1, 65, 9, 17, 5, 33, 33, 1, 1, 1, 1, 1, 129, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 16, 40, 64, 130, 68, 0, 34, 32,
  32, 32, 32, 32, 32, 32, 32, 32, 160, 56, 37, 56, 96, 32,
]);

/** High nibble: 3 groups of 8 kinds, 16 bytes each. */
export const KIND_HIGH: usize = memory.data<u8>([
  1, 1, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 224, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 0,
  81, 2, 76, 32, 32, 32, 32, 32, 32, 32, 32,
]);

/** Behind these a command, a call or an include may stand. */
export const COMMAND_MARKS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 1, 4, 12, 1, 0, 0, 1, 0, 2, 4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** What may begin a climb, an escape, or what a careless decoder takes for a mark. */
export const PATH_MARKS: usize = memory.data<u8>([
  59, 19, 35, 3, 3, 7, 3, 3, 3, 2, 2, 2, 2, 2, 7, 43, 1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 32, 2,
]);

/** Behind or at these an id, a name of one or a link may stand in a page or in JSON. */
export const ID_MARKS: usize = memory.data<u8>([
  2, 2, 3, 2, 2, 2, 3, 3, 2, 2, 0, 4, 1, 4, 0, 0, 0, 0, 1, 2, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
]);

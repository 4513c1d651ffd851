// The rows every peer holds: made from their number alone, so that all of them hold the same.

/** How many rows there are. */
export const ROWS = 10_000;

/** Letters that fill a row up to about a kilobyte of JSON. */
const FILL = "the quick brown fox jumps over the lazy dog; ".repeat(22);

/** The id of a row; ids sort as their numbers do. */
export const rowId = (i) => `r${String(i).padStart(6, "0")}`;

/** A row; `rev` tells its versions apart. */
export const row = (i, rev = 0) => ({ id: rowId(i), n: i, rev, done: i % 3 === 0, text: `${i} ${FILL}`.slice(0, 950) });

/** All rows, as text: what an answer of the server begins as for every peer. */
export const allRows = () => Array.from({ length: ROWS }, (_, i) => row(i));

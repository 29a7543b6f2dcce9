// Law: a limit on everything; no file makes this process grow.

export const fileLimits = {
  /** A city's busiest bank has about 110,000 movements a day; a month of them fits. */
  rows: 2_000_000,
  /** 2 M rows of the longest format, and what a bomb would have to stay under. */
  unzippedBytes: 512 * 1024 * 1024,
  /** A line of 27 columns with the longest texts is under 2 KiB. */
  rowBytes: 64 * 1024,
  cellsPerRow: 256,
  /** Bills have one or two files in them, workbooks of one sheet about ten. */
  zipEntries: 64,
  /** Deflate packs repeating tables about 30 : 1 at most; bombs are beyond 1,000 : 1. */
  zipRatio: 200,
  /** Below this a ratio says nothing. */
  zipRatioFrom: 4 * 1024 * 1024,
  /** Rows handed on at once. */
  batch: 1_000,
} as const;

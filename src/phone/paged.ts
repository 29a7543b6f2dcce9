// Reads a long list page by page, so that nobody holds it whole.

/** Rows of one read: enough for one round trip, few enough to hold. */
const PAGE = 100;

/** All rows, each as it is shown; `read` gets the last row of the page before. */
export async function* paged<T>(
  read: (last: T | null, count: number) => Promise<T[]>,
  show: (row: T) => Promise<unknown>,
): AsyncGenerator<unknown> {
  let last: T | null = null;
  for (;;) {
    const found: T[] = await read(last, PAGE);
    for (const row of found) yield await show(row);
    last = found.at(-1) ?? null;
    if (found.length < PAGE) return;
  }
}

// Role: runs work on a list, a few at a time, in the list's order.

/** Starts `work` on each element with at most `width` under way; the first failure is thrown. */
export async function concurrently<T>(
  list: readonly T[],
  width: number,
  work: (element: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < list.length) {
      const index = next;
      next += 1;
      await work(list[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
}

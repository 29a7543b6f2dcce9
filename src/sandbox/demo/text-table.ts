// Pure: columns that line up although Chinese characters are two columns wide.

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/;

/** Columns that the text takes on a terminal. */
export function displayWidth(text: string): number {
  return Array.from(text).reduce((width, char) => width + (WIDE.test(char) ? 2 : 1), 0);
}

/** Lines of a table: the first column left-aligned, all others right-aligned, a rule after the head. */
export function textTable(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...body.map((row) => row[column] ?? '')].map(displayWidth)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const gap = ' '.repeat((widths[column] ?? 0) - displayWidth(cell));
        return column === 0 ? cell + gap : gap + cell;
      })
      .join('  ');
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)];
}

// A refused file as a problem of the API: which row, which column, why.
import { Refusal } from '../errors.ts';
import type { FileRefusal } from './statement.ts';

/** The problem document of a file that does not add up. */
export function refusalOfFile(error: FileRefusal): Refusal {
  const { code, detail, row, column } = error;
  const at = [row, column].filter((part) => part !== null).join('/');
  const where = `${row === null ? '' : `第 ${row} 行 row ${row}`}${column === null ? '' : ` ${column}`}`;
  return new Refusal(code, {
    detail: `${where} ${detail}`.trim(),
    errors: [{ pointer: `/${at}`, detail }],
    extra: { ...(row === null ? {} : { row }), ...(column === null ? {} : { column }) },
    cause: error,
  });
}

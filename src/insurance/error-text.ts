// Pure: insurers' error texts as they are shown, counted and classed. Law: no ID number of a person
// reaches a reply, a log or finance's list.

const MAX_REASON = 500;
const MAX_TEXT = 200;
const NO_REASON = 'refused without a reason';

/** A refusal's text as people see it. */
export function reasonOf(errMsg: string): string {
  return readable(errMsg) || NO_REASON;
}

/** Reasons reach replies and logs: bounded, and ID numbers in them are masked. */
export function readable(message: string): string {
  return message
    .replace(/(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])/g, '******')
    .slice(0, MAX_REASON);
}

/** The text without what differs from call to call: numbers of 5 digits or more, hex ids, addresses. */
export function withoutTraces(text: string): string {
  return reasonOf(text)
    .replace(/\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b/gi, '#')
    .replace(/\d{1,3}(?:\.\d{1,3}){3}/g, '#')
    .replace(/\d{5,}[\dXx]?/g, '#')
    .slice(0, MAX_TEXT);
}
